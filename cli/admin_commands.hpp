// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <keyturn/admin.hpp>

#include "cli/terminal.hpp"

// What an administrator does, through the admin API only.
namespace keyturn::cli {

/// A logged-in administrator.
class Administrator {
 public:
  /// Logs in and learns the group. Errors: those of `admin::Client::login`.
  static Result<Administrator> log_in(const std::string& base_url, const std::string& email, Secret password);

  /// Sends and turns the answer into what is shown: the JSON itself, also as text.
  Answer send(const std::string& method, const std::string& path, const std::string& body = {});
  /// Path of an app by its client app id ("myapp-abcde"). Errors: `AppUnknownError` when there is none.
  Result<std::string> app_path(const std::string& client_app_id);
  /// Id of the provider of that type.
  Result<std::string> provider_id(const std::string& app_path, const std::string& type);
  [[nodiscard]] const std::string& group_path() const noexcept { return group_path_; }

 private:
  explicit Administrator(admin::Client client) : client_(std::move(client)) {}
  Result<Ejson> get(const std::string& path);

  admin::Client client_;
  std::string group_path_;
};

}  // namespace keyturn::cli
