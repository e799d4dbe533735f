// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

namespace keyturn::server {

/// Something that happened in an app, as its administrators read it (admin-api.md 11): a function call, an
/// account event or a refusal.
struct AppLogEntry {
  std::string request_id;
  std::string app_id;
  std::string user_id;
  std::string domain_id;
  std::string group_id;
  std::string type;  ///< "AUTH", "FUNCTION", "ENDPOINT", "PUSH", "API_KEY", "API".
  std::string method;
  std::string path;           ///< Without the query.
  std::string function_name;  ///< Empty: no function ran.
  int status = 0;
  WallTime started;
  WallTime completed;
  std::string error;
  std::string error_code;
  std::vector<std::string> messages;  ///< What the function wrote to its console.
};

/// The latest entries of each app, in memory: at most 1,000 and 2 MiB of an app, 64 MiB of all together. What
/// `link` of an error body leads to. Holds no token, password, argument or query.
///
/// Thread safety: all members.
class AppLog {
 public:
  void add(AppLogEntry entry);
  /// Forgets an app that was removed.
  void forget(std::string_view app_id);

  struct Question {
    std::string_view app_id;
    std::string request_id;          ///< Empty: any.
    std::string user_id;             ///< Empty: any.
    std::vector<std::string> types;  ///< Empty: all.
    bool errors_only = false;
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();  ///< Both count.
    bool oldest_first = false;
    std::size_t skip = 0;
    std::size_t limit = 100;
  };
  struct Page {
    std::vector<AppLogEntry> entries;
    bool has_more = false;
  };
  /// Newest first unless asked otherwise.
  [[nodiscard]] Page find(const Question& question) const;

 private:
  struct Ring {
    std::deque<AppLogEntry> entries;
    std::size_t bytes = 0;
  };
  void drop_oldest(Ring& ring);
  void make_room();

  mutable std::mutex mutex_;
  std::map<std::string, Ring, std::less<>> rings_;
  std::size_t bytes_ = 0;
};

}  // namespace keyturn::server
