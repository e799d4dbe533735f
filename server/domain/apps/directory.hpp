// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/apps/app_store.hpp"
#include "server/domain/ports.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// An app with all that a request needs of it, read-only and shared. A change makes a new one.
struct AppView {
  App app;
  std::vector<AuthProvider> providers;
  std::shared_ptr<const SigningKeys> keys;

  /// The provider of that wire name, or null.
  [[nodiscard]] const AuthProvider* provider(std::string_view type) const noexcept;
};

/// What a signing key is for. A token made with a key of one purpose is never accepted for another (rule V8).
enum class TokenType { access, refresh };

/// The apps of this server, held in memory, since every request needs one. Written through to `AppStore`.
///
/// Thread safety: all members. Lifetime: the stores must outlive it; a view stays valid as long as it is
/// held.
class AppDirectory {
 public:
  AppDirectory(AppStore& store, SigningKeyStore& keys);

  /// Reads all apps and their keys. Errors: those of the stores.
  Result<void> load();

  /// Null when there is none. No I/O. The admin realm is found by its domain id and by `admin_realm()` only,
  /// so that no route with an app id in its path can reach it.
  [[nodiscard]] std::shared_ptr<const AppView> by_client_app_id(std::string_view client_app_id) const;
  [[nodiscard]] std::shared_ptr<const AppView> by_id(std::string_view app_id) const;
  [[nodiscard]] std::shared_ptr<const AppView> by_domain_id(std::string_view domain_id) const;
  [[nodiscard]] std::shared_ptr<const AppView> admin_realm() const;

  /// Whether tokens of some app carry custom user data. No I/O, no lock.
  [[nodiscard]] bool has_user_data() const noexcept { return has_user_data_.load(); }

  /// A signing key by the `kid` of a token.
  struct KeyEntry {
    std::shared_ptr<const AppView> app;  ///< Null: no app has such a key.
    const jwt::Key* key = nullptr;       ///< Belongs to `app`.
    TokenType type = TokenType::access;
  };
  [[nodiscard]] KeyEntry by_key_id(std::string_view key_id) const;

  /// Every app but the admin realm, in order of id.
  [[nodiscard]] std::vector<std::shared_ptr<const AppView>> all() const;

  /// Each stores durably first, then is seen by every later look-up.
  Result<void> add(const App& app, const std::vector<AuthProvider>& providers);
  Result<void> update(const App& app);
  Result<bool> remove(std::string_view app_id);
  Result<void> put_provider(const AuthProvider& provider);
  Result<bool> remove_provider(std::string_view app_id, std::string_view provider_id);

 private:
  struct Snapshot;
  using Views = std::vector<std::shared_ptr<const AppView>>;
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  /// Errors: `InvalidConfiguration` when two apps share a key id.
  Result<void> publish(Views views);
  /// Replaces one view by what `change` makes of a copy.
  template <class Change>
  Result<void> replace(std::string_view app_id, const Change& change);

  AppStore& store_;
  SigningKeyStore& keys_;
  std::mutex write_mutex_;  ///< Held over a change and its store call: writers take turns, readers never wait
                            ///< for it.
  std::atomic<bool> has_user_data_{false};
  std::shared_ptr<const Snapshot> snapshot_;  ///< Read and replaced atomically.
};

}  // namespace keyturn::server
