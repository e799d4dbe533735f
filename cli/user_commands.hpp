// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <keyturn/app.hpp>

#include "cli/terminal.hpp"

// What a user does, through the public SDK only.
namespace keyturn::cli {

struct LoginChoice {
  bool anonymous = false;
  std::string email;  ///< The password is asked for.
  bool register_first = false;
  bool api_key = false;  ///< Asked for.
  bool jwt = false;      ///< Asked for.
};

struct RequestChoice {
  std::string method = "GET";
  std::string url;
  std::string body;
  std::vector<std::string> headers;  ///< "Name: value".
};

/// The user that a command is about: the current one, or the one with that id. Errors: `ClientUserNotFound`.
[[nodiscard]] Result<User> choose_user(const App& app, const std::string& user_id);

[[nodiscard]] Answer log_in(App& app, const LoginChoice& choice, Terminal& terminal);
[[nodiscard]] Answer show_token(const User& user, std::chrono::seconds min_validity);
[[nodiscard]] Answer refresh(const User& user);
[[nodiscard]] Answer show_status(const User& user, bool why);
[[nodiscard]] Answer list_users(const App& app);
[[nodiscard]] Answer switch_to(App& app, const User& user);
[[nodiscard]] Answer list_sessions(const User& user);
[[nodiscard]] Answer revoke_session(const User& user, const std::string& session_id);
[[nodiscard]] Answer revoke_other_sessions(const User& user);
[[nodiscard]] Answer send_request(const User& user, const RequestChoice& choice);
[[nodiscard]] Answer log_out(App& app, const User& user, bool forget);

}  // namespace keyturn::cli
