// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "server/domain/apps/app_store.hpp"

namespace keyturn::server::functions::testing {

/// The documents of apps in memory; nothing else of the port is of use here. Thread safety: all members.
class ConfigStore final : public AppStore {
 public:
  /// Adds or replaces a function whose id is its name.
  void define(std::string_view app, const std::string& name, const std::string& source,
              json::Object more = {}) {
    more.set("_id", name);
    more.set("name", name);
    more.set("source", source);
    static_cast<void>(put_document(app, "functions", name, std::move(more)));
  }

  Result<std::vector<App>> all() override { return std::vector<App>(); }
  Result<void> put(const App&, const std::vector<AuthProvider>&) override { return {}; }
  Result<bool> remove(std::string_view) override { return false; }
  Result<std::vector<AuthProvider>> providers(std::string_view) override {
    return std::vector<AuthProvider>();
  }
  Result<void> put_provider(const AuthProvider&) override { return {}; }
  Result<bool> remove_provider(std::string_view, std::string_view) override { return false; }
  Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view) override {
    return std::vector<std::pair<std::string, std::string>>();
  }
  Result<void> put_secret(std::string_view, std::string_view, std::string_view name,
                          const Secret& value) override {
    const std::scoped_lock lock(mutex_);
    secrets_.insert_or_assign(std::string(name), Secret(std::string(value.reveal())));
    return {};
  }
  Result<bool> remove_secret(std::string_view, std::string_view) override { return false; }
  Result<std::optional<Secret>> secret_by_name(std::string_view, std::string_view name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = secrets_.find(std::string(name));
    if (found == secrets_.end()) return std::optional<Secret>();
    return std::optional<Secret>(Secret(std::string(found->second.reveal())));
  }
  Result<std::vector<ConfigDocument>> documents(std::string_view app, std::string_view kind) override {
    const std::scoped_lock lock(mutex_);
    ++listings;
    std::vector<ConfigDocument> out;
    for (const auto& [key, value] : documents_) {
      if (std::get<0>(key) == app && std::get<1>(key) == kind) out.push_back({std::get<2>(key), value});
    }
    return out;
  }
  Result<std::optional<json::Value>> document(std::string_view app, std::string_view kind,
                                              std::string_view id) override {
    const std::scoped_lock lock(mutex_);
    const auto found = documents_.find(Key{app, kind, id});
    if (found == documents_.end()) return std::optional<json::Value>();
    return std::optional<json::Value>(found->second);
  }
  Result<void> put_document(std::string_view app, std::string_view kind, std::string_view id,
                            const json::Value& value) override {
    const std::scoped_lock lock(mutex_);
    documents_[Key{app, kind, id}] = value;
    return {};
  }
  Result<bool> remove_document(std::string_view app, std::string_view kind, std::string_view id) override {
    const std::scoped_lock lock(mutex_);
    return documents_.erase(Key{app, kind, id}) > 0;
  }

  int listings = 0;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  std::mutex mutex_;
  std::map<Key, json::Value> documents_;
  std::map<std::string, Secret> secrets_;
};

}  // namespace keyturn::server::functions::testing
