// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/error.hpp>
#include <keyturn/base/secret.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::cli {

/// What the program ends with; part of its interface (docs/reference/cli.md).
enum class ExitCode { ok = 0, failed = 1, usage = 2, log_in_again = 3, retry_later = 4 };

/// What a command has found out: for programs and for people.
struct Answer {
  EjsonDocument json;
  std::string text;  ///< Without a line break at the end.
  ExitCode code = ExitCode::ok;
};

/// The exit code of an error, by its remedy.
[[nodiscard]] ExitCode exit_code_of(const Error& error) noexcept;
/// An error as an answer: "keyturn: message (Code)", and its members for programs.
[[nodiscard]] Answer answer_of(const Error& error);

/// Where the program meets its user. Tests put another in its place.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual void print(std::string_view text) = 0;
  virtual void print_error(std::string_view text) = 0;
  /// One line from the keyboard without showing it, or from standard input when that is no terminal.
  virtual Secret read_secret(std::string_view prompt) = 0;
  /// The value of an environment variable; nothing when it is not set or empty.
  [[nodiscard]] virtual std::optional<std::string> environment(const char* name) const = 0;
};

/// The terminal of this process.
[[nodiscard]] Terminal& process_terminal();

}  // namespace keyturn::cli
