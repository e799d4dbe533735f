// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/pending.hpp>
#include <keyturn/base/secret.hpp>
#include <keyturn/credentials.hpp>
#include <keyturn/events.hpp>
#include <keyturn/network.hpp>
#include <keyturn/user.hpp>

namespace keyturn {

namespace sdk {
class AppCore;
}

/// Where the key that seals the sessions on the disk is kept. There is no store without a key, and no other
/// place is tried when this one fails (`StoreKeyUnavailable`).
class TokenStoreKey {
 public:
  enum class Source { secret_service, file, app };

  /// The Secret Service of the desktop (gnome-keyring, KWallet, KeePassXC), asked through libsecret, which is
  /// loaded when it is needed. It keeps the key from other users of the machine and from whoever copies the
  /// disk. It does NOT keep the apps of one user apart: any program of that user may ask it.
  static TokenStoreKey in_secret_service() { return {}; }
  /// A file of 64 random bytes with mode 0600, made with the first store; for machines without a desktop.
  /// Whoever can read this file and the store can read the tokens: keep it in another folder than the store.
  static TokenStoreKey in_file(std::filesystem::path file) { return {Source::file, std::move(file), {}}; }
  /// 64 bytes that the app keeps itself, better in hardware than in its own files. Another length is an
  /// `InvalidConfiguration`.
  static TokenStoreKey supplied(Secret key) {
    return {Source::app, {}, std::make_shared<const Secret>(std::move(key))};
  }

  TokenStoreKey() = default;
  [[nodiscard]] Source source() const { return source_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  /// Empty for the other sources.
  [[nodiscard]] std::shared_ptr<const Secret> bytes() const { return bytes_; }

 private:
  TokenStoreKey(Source source, std::filesystem::path file, std::shared_ptr<const Secret> bytes)
      : source_(source), file_(std::move(file)), bytes_(std::move(bytes)) {}

  Source source_ = Source::secret_service;
  std::filesystem::path file_;
  std::shared_ptr<const Secret> bytes_;
};

/// Where the sessions of this device are kept.
struct TokenStoreConfiguration {
  enum class Kind {
    memory,  ///< Gone with the process; needs no key.
    sqlite,  ///< A database in `directory`, sealed, shared by any number of processes of the same user.
  };
  Kind kind = Kind::sqlite;
  /// Folder of the store, made with mode 0700 when missing. Empty: `$XDG_DATA_HOME/keyturn` or
  /// `~/.local/share/keyturn`.
  std::filesystem::path directory;
  /// Where a machine has no desktop, say `in_file` or `supplied`: the default asks the Secret Service.
  TokenStoreKey key;

  static TokenStoreConfiguration in_memory() { return {Kind::memory, {}, {}}; }
  static TokenStoreConfiguration in_directory(std::filesystem::path directory,
                                              TokenStoreKey key = TokenStoreKey::in_secret_service()) {
    return {Kind::sqlite, std::move(directory), std::move(key)};
  }
};

/// What the app says of the device at log-in (client-api.md 8); empty members are filled in where they can be
/// known.
struct DeviceDescription {
  std::string app_version;
  std::string device_name;
  std::string bundle_id;
};

/// One configured connection to one app of a Keyturn server.
///
/// Construction reads the token store and does no network I/O: the users of the last run are there at once,
/// offline too.
///
/// Thread safety: every member may be called from any thread.
/// Lifetime: the destructor gives up what is under way (those calls answer `ClientAppDeallocated`), waits for
/// the SDK's threads to end, and so must not run inside a callback of the same `App`. Several `App`s, in this
/// and other processes, may share one store.
/// fork(): a child has none of the SDK's threads. There `access_token()` and what else needs no thread work,
/// every other call answers `ClientAppDeallocated`, and the destructor does nothing; a child that goes on
/// without exec() opens an `App` of its own. The parent is not disturbed.
class App {
 public:
  struct configuration {
    std::string app_id{};
    /// Of the server, "https://auth.example.com"; upper case, a trailing `/` and the scheme's own port change
    /// nothing. Final: no other address is ever asked.
    std::string base_url{};
    TokenStoreConfiguration store{};
    DeviceDescription device{};
    /// Of a call as a whole, the refresh it may need included.
    std::chrono::milliseconds request_timeout{60'000};
    NetworkConfiguration network{};
    /// Binds each session that a log-in opens to a key of this device (DPoP, RFC 9449), where the server can:
    /// then its refresh token is of no use elsewhere, for as long as the session lives. The key is made by
    /// the first such log-in and kept apart from the tokens, sealed as they are. When it is lost the session
    /// is kept, in case it comes back, and calls that need a new token answer `DeviceKeyUnavailable`: log the
    /// user out and in again. No other key is made while a session needs the lost one. With a server that
    /// cannot, the session is a bearer session. See `User::is_bound_to_device`, `User::check_device_key`.
    bool bind_sessions = false;
    /// One line per decision, never with token bytes. A user whose id is no short plain word is named by a
    /// digest. Called on SDK threads; what it throws is dropped. Empty: no log.
    std::function<void(std::string_view line)> log{};
  };
  using credentials = Credentials;

  /// Errors (thrown as `Error`): `InvalidConfiguration` for an empty app id or a base URL that is not http or
  /// https
  /// ("URL missing scheme"), and those of the store: `StoreLocked` (in use, try again), `StoreKeyUnavailable`
  /// (its key cannot be had, or is another), `StoreCorrupt` (damaged, and no good copy), `StoreNewerVersion`,
  /// `StoreUnavailable` (the disk). None of them means that nobody is logged in, and nothing is deleted: only
  /// an app that opens without users has none.
  explicit App(configuration config);
  /// The same without exceptions.
  static Result<App> open(configuration config);
  App(App&&) noexcept;
  App& operator=(App&&) noexcept;
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App();

  [[nodiscard]] const std::string& app_id() const;
  [[nodiscard]] const std::string& base_url() const;

  /// Logs in; the user becomes the current one. All or nothing: on an error the device is as before.
  Pending<User> login(Credentials credentials);

  /// The user that last logged in or was switched to and is logged in. No I/O.
  [[nodiscard]] std::optional<User> get_current_user() const;
  /// Every user known to this device, logged in or out, most recent first.
  [[nodiscard]] std::vector<User> all_users() const;
  /// Makes a logged-in user the current one. Works offline. Errors: `ClientUserNotLoggedIn`,
  /// `ClientUserNotFound`.
  Result<void> switch_user(const User& user);
  /// Logs out and forgets the user on this device; the account on the server stays.
  Pending<void> remove_user(const User& user);
  /// Deletes the account on the server, then forgets it here. Errors: `ClientUserNotLoggedIn`.
  Pending<void> delete_user(const User& user);

  /// Tells the server now of log-outs of this device that it could not be told so far. An open `App` does so
  /// by itself sooner or later; this is for programs that end before, and to know whether the server has
  /// heard. Sends nothing when it has. Errors: those of the network or the server, with `retry_later`, and
  /// `DeadlineExceeded` after `limit`; the rest is tried again later.
  Pending<void> deliver_log_outs(std::chrono::milliseconds limit = std::chrono::seconds{1});

  /// Events of all users of this app.
  [[nodiscard]] Subscription subscribe(UserObserver observer);

  // E-mail and password accounts (client-api.md 9; sdk-behaviour.md section 17).
  Pending<void> register_user(std::string email, std::string password);
  Pending<void> confirm_user(std::string token, std::string token_id);
  Pending<void> resend_confirmation_email(std::string email);
  Pending<void> retry_custom_confirmation(std::string email);
  Pending<void> send_reset_password_email(std::string email);
  Pending<void> reset_password(std::string password, std::string token, std::string token_id);
  /// `ejson_arguments` is an EJSON array text.
  Pending<void> call_reset_password_function(std::string email, std::string password,
                                             std::string ejson_arguments);

 private:
  explicit App(std::shared_ptr<sdk::AppCore> core);
  std::shared_ptr<sdk::AppCore> core_;
};

}  // namespace keyturn
