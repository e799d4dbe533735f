// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/compat/bsoncxx.hpp>
#include <keyturn/compat/realm_app_error.hpp>
#include <keyturn/compat/realm_shared_app.hpp>

/// The names of the Atlas C++ SDK (2.2) for users and tokens, so that a program written for it compiles by
/// changing its include to this header. The address of a Keyturn server has to be given: there is no default
/// one.
///
/// Beside the names of that SDK: `App::all_users`, `switch_user`, `remove_user`, `delete_user`,
/// `user::identities`, and `native()`, which leads to the rest of Keyturn's API. Not here: the device
/// database, custom HTTP headers, metadata encryption, proxies (libcurl's environment variables do that). A
/// program that sets those does not compile, rather than run without them.
///
/// A program that waits on a `std::future` here, or polls it, sees the answer without running anything
/// itself; a call made inside a callback waits for its answer before it returns, since the callbacks share
/// one thread.
namespace realm {

/// A handle to one account on this device. A default-made one belongs to nobody and is logged out.
///
/// Thread safety: every member may be called from any thread. Lifetime: keeps the app's connection open.
/// Errors: `app_error`, through the future or the callback.
struct user {
  enum class state : std::uint8_t { logged_out, logged_in, removed };

  user() = default;

  [[nodiscard]] bool is_logged_in() const { return user_ && user_->is_logged_in(); }
  [[nodiscard]] std::string identifier() const { return user_ ? user_->identifier() : std::string(); }
  [[nodiscard]] enum state state() const {
    if (!user_ || user_->state() == keyturn::UserState::logged_out) return state::logged_out;
    return user_->state() == keyturn::UserState::logged_in ? state::logged_in : state::removed;
  }
  /// The token held now, which may have expired: `refresh_custom_user_data().get()` first gives a fresh one.
  [[nodiscard]] std::string access_token() const { return user_ ? user_->access_token() : std::string(); }
  [[nodiscard]] std::string refresh_token() const { return user_ ? user_->refresh_token() : std::string(); }
  [[nodiscard]] std::vector<keyturn::UserIdentity> identities() const {
    return user_ ? user_->identities() : std::vector<keyturn::UserIdentity>();
  }

  [[nodiscard]] std::future<void> log_out() const { return detail::to_future(checked().log_out(), *this); }
  void log_out(std::function<void(std::optional<app_error>)>&& callback) const {
    detail::to_callback(checked().log_out(), std::move(callback), *this);
  }

  /// Custom data as a JSON object.
  [[nodiscard]] std::optional<std::string> custom_data() const {
    const std::string text = user_ ? user_->custom_data() : std::string();
    return text.empty() ? std::nullopt : std::optional(text);
  }
  [[nodiscard]] std::optional<bsoncxx::document> get_custom_data() const {
    const auto text = custom_data();
    if (!text) return std::nullopt;
    const auto parsed = keyturn::Ejson::parse(*text);
    const auto* members = parsed ? parsed->get_if<keyturn::EjsonDocument>() : nullptr;
    return members == nullptr ? std::nullopt : std::optional(bsoncxx::document(*members));
  }

  /// `arguments` is an Extended JSON array text; so is the result a text.
  [[nodiscard]] std::future<std::optional<std::string>> call_function(const std::string& name,
                                                                      const std::string& arguments) const {
    return detail::to_future<std::optional<std::string>>(
        checked().call_function(name, arguments),
        [keep = *this](std::string text) { return std::optional(std::move(text)); });
  }
  void call_function(
      const std::string& name, const std::string& arguments,
      std::function<void(std::optional<std::string>, std::optional<app_error>)> callback) const {
    detail::deliver<std::string>(
        checked().call_function(name, arguments),
        [keep = *this, callback = std::move(callback)](keyturn::Result<std::string> result) {
          if (!result) return callback(std::nullopt, app_error(result.error()));
          callback(*result, std::nullopt);
        });
  }
  [[nodiscard]] std::future<std::optional<bsoncxx>> call_function(
      const std::string& name, const std::vector<bsoncxx>& arguments) const {
    return detail::to_future<std::optional<bsoncxx>>(
        checked().call_function(name, bsoncxx(arguments).to_json()),
        [keep = *this](const std::string& text) { return parsed(text); });
  }
  void call_function(const std::string& name, const std::vector<bsoncxx>& arguments,
                     std::function<void(std::optional<bsoncxx>, std::optional<app_error>)> callback) const {
    detail::deliver<std::string>(
        checked().call_function(name, bsoncxx(arguments).to_json()),
        [keep = *this, callback = std::move(callback)](keyturn::Result<std::string> result) {
          if (!result) return callback(std::nullopt, app_error(result.error()));
          callback(parsed(*result), std::nullopt);
        });
  }

  /// Refreshes the access token, which carries the custom data.
  [[nodiscard]] std::future<void> refresh_custom_user_data() const {
    return detail::to_future(checked().refresh_custom_user_data(), *this);
  }
  void refresh_custom_user_data(std::function<void(std::optional<app_error>)> callback) const {
    detail::to_callback(checked().refresh_custom_user_data(), std::move(callback), *this);
  }

  /// Keyturn's own handle. Throws `app_error` (`ClientUserNotFound`) for a default-made user.
  [[nodiscard]] const keyturn::User& native() const { return checked(); }

  friend bool operator==(const user& a, const user& b) { return a.user_ == b.user_; }

 private:
  friend class App;
  user(std::shared_ptr<detail::shared_app> app, keyturn::User native_user)
      : app_(std::move(app)), user_(std::move(native_user)) {}

  [[nodiscard]] const keyturn::User& checked() const {
    if (!user_)
      throw app_error(keyturn::Error(keyturn::ErrorCode::ClientUserNotFound, "No user has been found"));
    return *user_;
  }
  static std::optional<bsoncxx> parsed(const std::string& text) {
    auto value = keyturn::Ejson::parse(text);
    return value ? std::optional<bsoncxx>(bsoncxx(std::move(*value))) : std::nullopt;
  }

  std::shared_ptr<detail::shared_app> app_;
  std::optional<keyturn::User> user_;
};

/// An app of a Keyturn server. Copies, and others made with the same app id and address, are the same one.
///
/// Thread safety: every member may be called from any thread.
/// Lifetime: the connection stays open while an `App` of it, a `user` of it or an answer on its way is left.
class App {
 public:
  struct configuration {
    std::string app_id;
    /// Of the server; required.
    std::optional<std::string> base_url;
    /// Folder that keeps the users of this device; the default of `keyturn::TokenStoreConfiguration` when
    /// missing.
    std::optional<std::string> path;
    /// Seals the users of this device. Missing: the key is kept in the Secret Service of the desktop, and
    /// without one the app does not open (`StoreKeyUnavailable`).
    std::optional<std::array<char, 64>> metadata_encryption_key;
  };

  struct credentials {
    static credentials anonymous() { return credentials(keyturn::Credentials::anonymous()); }
    static credentials api_key(const std::string& key) {
      return credentials(keyturn::Credentials::api_key(key));
    }
    static credentials facebook(const std::string& access_token) {
      return credentials(keyturn::Credentials::facebook(access_token));
    }
    static credentials apple(const std::string& id_token) {
      return credentials(keyturn::Credentials::apple(id_token));
    }
    static credentials google_auth_code(const std::string& auth_code) {
      return credentials(keyturn::Credentials::google_auth_code(auth_code));
    }
    static credentials google_id_token(const std::string& id_token) {
      return credentials(keyturn::Credentials::google_id_token(id_token));
    }
    static credentials custom(const std::string& token) {
      return credentials(keyturn::Credentials::custom(token));
    }
    static credentials username_password(const std::string& username, const std::string& password) {
      return credentials(keyturn::Credentials::username_password(username, password));
    }
    static credentials function(const std::string& payload) {
      return credentials(keyturn::Credentials::function(payload));
    }
    credentials() = default;

   private:
    friend class App;
    explicit credentials(keyturn::Credentials given) : given_(std::move(given)) {}
    std::optional<keyturn::Credentials> given_;
  };

  /// Throws `app_error`: `InvalidConfiguration`, and those of the store.
  App(const configuration& config)  // NOLINT(google-explicit-constructor): as the original
      : app_(detail::shared_app::get(config.app_id, config.base_url.value_or(""), config.path.value_or(""),
                                     key_of(config))) {}
  explicit App(const std::string& app_id, const std::optional<std::string>& base_url = {},
               const std::optional<std::string>& path = {})
      : App(configuration{app_id, base_url, path, {}}) {}

  std::future<void> register_user(const std::string& username, const std::string& password) {
    return detail::to_future(app_->app.register_user(username, password), app_);
  }
  std::future<user> login(const credentials& given) {
    return detail::to_future<user>(start_login(given), [app = app_](keyturn::User native_user) {
      return user(app, std::move(native_user));
    });
  }
  void login(const credentials& given, std::function<void(user, std::optional<app_error>)>&& callback) {
    detail::deliver<keyturn::User>(start_login(given), [app = app_, callback = std::move(callback)](
                                                           keyturn::Result<keyturn::User> result) {
      if (!result) return callback(user(), app_error(result.error()));
      callback(user(app, std::move(*result)), std::nullopt);
    });
  }

  [[nodiscard]] std::optional<user> get_current_user() const {
    auto current = app_->app.get_current_user();
    return current ? std::optional(user(app_, std::move(*current))) : std::nullopt;
  }
  [[nodiscard]] std::vector<user> all_users() const {
    std::vector<user> users;
    for (keyturn::User& each : app_->app.all_users()) users.push_back(user(app_, std::move(each)));
    return users;
  }
  /// Throws `app_error`: `ClientUserNotLoggedIn`, `ClientUserNotFound`.
  void switch_user(const user& to) {
    const auto switched = app_->app.switch_user(to.native());
    if (!switched) throw app_error(switched.error());
  }
  std::future<void> remove_user(const user& which) {
    return detail::to_future(app_->app.remove_user(which.native()), app_);
  }
  std::future<void> delete_user(const user& which) {
    return detail::to_future(app_->app.delete_user(which.native()), app_);
  }

  /// The next `App` of any configuration opens a connection of its own; those that exist go on.
  void clear_cached_apps() { detail::shared_app::forget_all(); }
  std::optional<App> get_cached_app(const std::string& app_id, const std::optional<std::string>& base_url) {
    auto found = detail::shared_app::find(app_id, base_url.value_or(""));
    return found ? std::optional(App(std::move(found))) : std::nullopt;
  }
  [[nodiscard]] std::string get_base_url() const { return app_->app.base_url(); }
  [[nodiscard]] keyturn::App& native() noexcept { return app_->app; }

 private:
  static keyturn::TokenStoreKey key_of(const configuration& config) {
    if (!config.metadata_encryption_key) return keyturn::TokenStoreKey::in_secret_service();
    const std::array<char, 64>& bytes = *config.metadata_encryption_key;
    return keyturn::TokenStoreKey::supplied(keyturn::Secret(std::string_view(bytes.data(), bytes.size())));
  }
  explicit App(std::shared_ptr<detail::shared_app> app) : app_(std::move(app)) {}
  keyturn::Pending<keyturn::User> start_login(const credentials& given) {
    if (given.given_) return app_->app.login(*given.given_);
    return keyturn::Error(keyturn::ErrorCode::InvalidConfiguration, "the credentials are empty");
  }

  std::shared_ptr<detail::shared_app> app_;
};

}  // namespace realm
