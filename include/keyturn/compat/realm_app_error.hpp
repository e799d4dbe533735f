// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

#include <keyturn/base/error.hpp>

namespace realm {

/// What went wrong; thrown by the futures' `get()`. Thread safety: a plain value.
struct app_error {
  app_error() = delete;
  explicit app_error(keyturn::Error error) : error_(std::move(error)) {}

  [[nodiscard]] std::string_view message() const { return error_.message; }
  /// A Keyturn server has no page of logs to link to: always empty. `native().request_id` finds the log line.
  [[nodiscard]] std::string_view link_to_server_logs() const { return {}; }
  /// The server's answer could not be understood.
  [[nodiscard]] bool is_json_error() const {
    using enum keyturn::ErrorCode;
    return error_.code == MalformedJson || error_.code == MissingJsonKey || error_.code == BadToken;
  }
  /// The server refused and gave a code.
  [[nodiscard]] bool is_service_error() const {
    return error_.http_status != 0 && !is_http_error() && !is_json_error();
  }
  /// The server refused and gave no more than a status.
  [[nodiscard]] bool is_http_error() const {
    return error_.http_status != 0 && error_.code == keyturn::ErrorCode::AppUnknownError;
  }
  /// The call cannot be made as things stand on this device.
  [[nodiscard]] bool is_client_error() const {
    using enum keyturn::ErrorCode;
    return error_.code == ClientUserNotFound || error_.code == ClientUserNotLoggedIn ||
           error_.code == ClientAppDeallocated || error_.code == ClientUserAlreadyNamed;
  }
  /// No answer came.
  [[nodiscard]] bool is_custom_error() const {
    return error_.http_status == 0 && !is_client_error() && !is_json_error();
  }
  [[nodiscard]] const keyturn::Error& native() const noexcept { return error_; }

 private:
  keyturn::Error error_;
};

}  // namespace realm
