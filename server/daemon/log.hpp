// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <keyturn/base/clock.hpp>

namespace spdlog {
class logger;
}

namespace keyturn::server::daemon {

enum class LogLevel { debug, info, warning, error };

/// The level of that name; `info` for an unknown one.
[[nodiscard]] LogLevel log_level_from(std::string_view name) noexcept;

/// The operator's log: one JSON object per line on a file descriptor, in UTC (rule V25). Lines are handed to
/// a thread that writes them, so that a slow reader of the log never delays a request; when a megabyte waits,
/// lines are dropped and their number is logged.
///
/// Never given token, password or key bytes, nor a query string. Thread safety: all members. Lifetime: what
/// was logged before the destructor has been written when that returns, unless the reader stands still.
class Log {
 public:
  using Value = std::variant<std::string_view, std::int64_t>;
  using Fields = std::initializer_list<std::pair<std::string_view, Value>>;

  Log(int descriptor, LogLevel level, Clock& clock);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  [[nodiscard]] bool enabled(LogLevel level) const noexcept { return level >= level_; }
  void write(LogLevel level, std::string_view message, Fields fields = {});
  void info(std::string_view message, Fields fields = {}) { write(LogLevel::info, message, fields); }
  void warning(std::string_view message, Fields fields = {}) { write(LogLevel::warning, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(LogLevel::error, message, fields); }

 private:
  const LogLevel level_;
  Clock& clock_;
  std::shared_ptr<spdlog::logger> logger_;
};

/// One line without its end; fields with an empty text are left out. Pure.
[[nodiscard]] std::string log_line(WallTime now, LogLevel level, std::string_view message,
                                   Log::Fields fields);

}  // namespace keyturn::server::daemon
