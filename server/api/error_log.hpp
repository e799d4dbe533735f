// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::api {

/// A refused request of an app, as the admin API shows it (admin-api.md 11).
struct LoggedError {
  std::string request_id;
  std::string app_id;
  std::string user_id;
  std::string domain_id;
  std::string group_id;
  std::string method;
  std::string path;  ///< Without the query.
  int status = 0;
  WallTime started;
  WallTime completed;
  std::string error;
  std::string error_code;
};

/// The latest 1,000 refusals of all apps, in memory. What `link` of an error body leads to.
///
/// Thread safety: all members.
class ErrorLog {
 public:
  void add(LoggedError entry);
  struct Question {
    std::string_view app_id;
    std::string_view request_id;  ///< Empty: any.
    std::string_view user_id;     ///< Empty: any.
    std::size_t skip = 0;
    std::size_t limit = 100;
  };
  /// Newest first.
  [[nodiscard]] std::vector<LoggedError> find(const Question& question) const;

 private:
  mutable std::mutex mutex_;
  std::deque<LoggedError> entries_;
};

}  // namespace keyturn::server::api
