// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/domain/apps/app_store.hpp"

namespace keyturn::server::functions {

/// One function as the app's administrators wrote it (functions.md 2).
struct FunctionDefinition {
  std::string name;
  std::string source;
  std::string hash;  ///< Of the source.
  bool is_private = false;
  bool runs_as_system = false;
  std::string run_as_user_id;  ///< Empty: runs as its caller.
  std::string run_as_script;   ///< Says who it runs as; empty: nothing does.
  json::Value can_evaluate;
};

/// Finds functions in the app store. Keeps what it has read, and compares it with the store at each use, so
/// that a change is seen by the very next call.
///
/// Thread safety: all members. Lifetime: not beyond the store.
class FunctionCatalog {
 public:
  explicit FunctionCatalog(AppStore& apps) : apps_(apps) {}

  /// By name or by id. Errors: `FunctionNotFound` "function not found: '<name>'"; those of the store.
  [[nodiscard]] Result<std::shared_ptr<const FunctionDefinition>> find(std::string_view app_id,
                                                                       std::string_view name);
  /// The app's own limit on run time (decisions.md "function time limit"); nothing: the server's default.
  [[nodiscard]] Result<std::optional<std::chrono::seconds>> time_limit(std::string_view app_id);
  /// Forgets an app that was removed.
  void forget(std::string_view app_id);

 private:
  struct Entry {
    std::string id;
    json::Value document;
    std::shared_ptr<const FunctionDefinition> definition;
  };
  using Key = std::pair<std::string, std::string>;

  [[nodiscard]] std::optional<Entry> cached(const Key& key) const;
  void keep(const Key& key, Entry entry);

  AppStore& apps_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;  ///< Bounded by `kMaxEntries`.
};

[[nodiscard]] std::shared_ptr<const FunctionDefinition> definition_of(const json::Value& document);
[[nodiscard]] std::string hash_of(std::string_view source);

}  // namespace keyturn::server::functions
