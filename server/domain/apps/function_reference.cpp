// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/function_reference.hpp"

#include <utility>

#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::string_view kFunctions = "functions";  // as the admin API stores them (admin-api.md 6)

Result<std::optional<json::Object>> function_by_id(AppStore& apps, std::string_view app_id,
                                                   std::string_view id) {
  if (id.empty()) return std::optional<json::Object>();
  auto stored = apps.document(app_id, kFunctions, id);
  if (!stored) return unavailable(stored.error());
  if (!*stored || (*stored)->as_object() == nullptr) return std::optional<json::Object>();
  return std::optional(std::move(*(*stored)->as_object()));
}

}  // namespace

FunctionReference function_at(const json::Object& settings, std::string_view name_member,
                              std::string_view id_member) {
  return {text_at(settings, id_member), text_at(settings, name_member)};
}

Result<std::string> function_name_of(AppStore& apps, std::string_view app_id,
                                     const FunctionReference& reference) {
  auto found = function_by_id(apps, app_id, reference.id);
  if (!found) return found.error();
  const std::string_view name = *found ? text_at(**found, "name") : std::string_view();
  return std::string(name.empty() ? reference.text() : name);
}

Result<std::optional<json::Object>> find_function(AppStore& apps, std::string_view app_id,
                                                  const FunctionReference& reference) {
  auto found = function_by_id(apps, app_id, reference.id);
  if (!found || *found || reference.name.empty()) return found;
  auto all = apps.documents(app_id, kFunctions);
  if (!all) return unavailable(all.error());
  for (ConfigDocument& each : *all) {
    const bool is_it = each.value.string_at("name") == reference.name || each.id == reference.name;
    if (is_it && each.value.as_object() != nullptr) return std::optional(std::move(*each.value.as_object()));
  }
  return std::optional<json::Object>();
}

}  // namespace keyturn::server
