// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace keyturn::cli {
namespace {

// Keys are not shown while it lives.
class HiddenInput {
 public:
  HiddenInput() : active_(isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!active_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;
  ~HiddenInput() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  [[nodiscard]] bool active() const noexcept { return active_; }

 private:
  termios before_{};
  bool active_;
};

// The streams of C: those of C++ are made anew at each start, which `keyturn token` would pay for.
class ProcessTerminal final : public Terminal {
 public:
  void print(std::string_view text) override { put(stdout, text, "\n"); }
  void print_error(std::string_view text) override { put(stderr, text, "\n"); }
  Secret read_secret(std::string_view prompt) override {
    const HiddenInput hidden;
    if (hidden.active()) put(stderr, prompt);
    std::string line;
    for (int c = std::getc(stdin); c != EOF && c != '\n'; c = std::getc(stdin)) line += static_cast<char>(c);
    if (hidden.active()) put(stderr, "\n");
    if (line.ends_with('\r')) line.pop_back();
    Secret secret(line);
    wipe_memory(line.data(), line.size());
    return secret;
  }
  std::optional<std::string> environment(const char* name) const override {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  }

 private:
  static void put(std::FILE* stream, std::string_view text, std::string_view end = {}) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fwrite(end.data(), 1, end.size(), stream);
  }
};

}  // namespace

ExitCode exit_code_of(const Error& error) noexcept {
  switch (error.remedy) {
    case Remedy::log_in_again:
      return ExitCode::log_in_again;
    case Remedy::retry_later:
      return ExitCode::retry_later;
    default:
      return ExitCode::failed;
  }
}

Answer answer_of(const Error& error) {
  Answer answer;
  const std::string code(to_string(error.code));
  answer.code = exit_code_of(error);
  answer.text = "keyturn: " + error.message + " (" + code + ")";
  answer.json = {
      {"error", error.message}, {"error_code", code}, {"remedy", std::string(to_string(error.remedy))}};
  if (error.reason != EndReason::none) {
    answer.text += ": the session has ended, reason " + std::string(to_string(error.reason));
    answer.json.set("reason", std::string(to_string(error.reason)));
  }
  if (!error.request_id.empty()) answer.json.set("request_id", error.request_id);
  return answer;
}

Terminal& process_terminal() {
  static ProcessTerminal terminal;
  return terminal;
}

}  // namespace keyturn::cli
