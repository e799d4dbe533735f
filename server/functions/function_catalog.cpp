// SPDX-License-Identifier: Apache-2.0
#include "server/functions/function_catalog.hpp"

#include "core/crypto/crypto.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::functions {
namespace {

constexpr std::size_t kMaxEntries = 4'096;
constexpr std::string_view kKind = "functions";
// As the admin API stores PATCH .../functions_settings.
constexpr std::string_view kCatalogSettings = "settings";
constexpr std::string_view kSettingsName = "functions_settings";

Error not_found(std::string_view name) {
  return refusal(ErrorCode::FunctionNotFound, "function not found: '" + std::string(name) + "'");
}

bool is_of(const json::Value& document, std::string_view id, std::string_view name) {
  return id == name || document.string_at("name") == name;
}

}  // namespace

std::string hash_of(std::string_view source) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : crypto::sha256(source)) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4U];
    hex += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return hex;
}

std::shared_ptr<const FunctionDefinition> definition_of(const json::Value& document) {
  auto definition = std::make_shared<FunctionDefinition>();
  definition->name = document.string_at("name").value_or("");
  definition->source = document.string_at("source").value_or("");
  definition->hash = hash_of(definition->source);
  definition->is_private = document.bool_at("private").value_or(false);
  definition->runs_as_system = document.bool_at("run_as_system").value_or(false);
  definition->run_as_user_id = document.string_at("run_as_user_id").value_or("");
  definition->run_as_script = document.string_at("run_as_user_id_script_source").value_or("");
  if (const json::Value* rule = document.find("can_evaluate")) definition->can_evaluate = *rule;
  return definition;
}

Result<std::shared_ptr<const FunctionDefinition>> FunctionCatalog::find(std::string_view app_id,
                                                                        std::string_view name) {
  const Key key{app_id, name};
  if (const auto known = cached(key)) {
    auto stored = apps_.document(app_id, kKind, known->id);
    if (!stored) return stored.error();
    if (*stored && is_of(**stored, known->id, name)) {
      if (**stored == known->document) return known->definition;
      auto definition = definition_of(**stored);
      keep(key, {known->id, *std::move(*stored), definition});
      return definition;
    }
  }
  auto all = apps_.documents(app_id, kKind);
  if (!all) return all.error();
  for (ConfigDocument& each : *all) {
    if (!is_of(each.value, each.id, name)) continue;
    auto definition = definition_of(each.value);
    keep(key, {each.id, std::move(each.value), definition});
    return definition;
  }
  return not_found(name);
}

Result<std::optional<std::chrono::seconds>> FunctionCatalog::time_limit(std::string_view app_id) {
  auto settings = apps_.document(app_id, kCatalogSettings, kSettingsName);
  if (!settings) return settings.error();
  const auto seconds = *settings ? (*settings)->int_at("timeout_seconds") : std::nullopt;
  if (!seconds || *seconds < 1) return std::optional<std::chrono::seconds>();
  return std::optional<std::chrono::seconds>(*seconds);
}

void FunctionCatalog::forget(std::string_view app_id) {
  const std::scoped_lock lock(mutex_);
  auto entry = entries_.lower_bound(Key{app_id, ""});
  while (entry != entries_.end() && entry->first.first == app_id) entry = entries_.erase(entry);
}

std::optional<FunctionCatalog::Entry> FunctionCatalog::cached(const Key& key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional<Entry>(found->second);
}

void FunctionCatalog::keep(const Key& key, Entry entry) {
  const std::scoped_lock lock(mutex_);
  if (entries_.size() >= kMaxEntries && entries_.count(key) == 0) entries_.erase(entries_.begin());
  entries_[key] = std::move(entry);
}

}  // namespace keyturn::server::functions
