// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <keyturn/admin.hpp>

#include "cli/terminal.hpp"

// What an administrator does, through the admin API only.
namespace keyturn::cli {

/// One line for each element of a list; anything else as it is.
[[nodiscard]] std::string for_people(const Ejson& value);

/// A logged-in administrator.
class Administrator {
 public:
  /// Logs in and learns the group. Errors: those of `admin::Client::login`.
  static Result<Administrator> log_in(const std::string& base_url, const std::string& email, Secret password);

  /// Sends and turns the answer into what is shown: the JSON itself, also as text.
  Answer send(const std::string& method, const std::string& path, const std::string& body = {});
  /// The JSON of a 2xx answer. Errors: the refusal that the server told.
  Result<Ejson> get(const std::string& path);
  /// The same for a request that changes something; null when the answer has no body.
  Result<Ejson> change(const std::string& method, const std::string& path, const std::string& body);
  /// Path of an app by its client app id ("myapp-abcde"). Errors: `AppUnknownError` when there is none.
  Result<std::string> app_path(const std::string& client_app_id);
  /// Id of the provider of that type.
  Result<std::string> provider_id(const std::string& app_path, const std::string& type);
  /// Id of what has that name in a list. Errors: `ValueNotFound`.
  Result<std::string> id_of(const std::string& list_path, const std::string& name);
  [[nodiscard]] const std::string& group_path() const noexcept { return group_path_; }

 private:
  explicit Administrator(admin::Client client) : client_(std::move(client)) {}
  admin::Client client_;
  std::string group_path_;
};

}  // namespace keyturn::cli
