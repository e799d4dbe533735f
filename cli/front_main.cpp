// SPDX-License-Identifier: Apache-2.0
// `keyturn`: gives a stored token at once, and leaves everything else to the full program beside it.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cli/front.hpp"

namespace {

/// Makes this process the full program, with the same words and environment. Comes back only when it cannot.
int hand_over(char** words, keyturn::cli::Terminal& terminal) {
  std::error_code fault;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", fault);
  const std::string full = (self.parent_path() / KEYTURN_FULL_PROGRAM).string();
  if (!fault) {
    ::execv(full.c_str(), words);
    fault.assign(errno, std::generic_category());
  }
  terminal.print_error("keyturn: its other half " + full + " cannot be run: " + fault.message());
  return static_cast<int>(keyturn::cli::ExitCode::failed);
}

}  // namespace

int main(int argc, char** argv) {
  auto& terminal = keyturn::cli::process_terminal();
  const auto token = keyturn::cli::token_at_once({argv + (argc > 0 ? 1 : 0), argv + argc}, terminal);
  if (!token) return hand_over(argv, terminal);
  terminal.print(*token);
  return 0;
}
