// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace keyturn::cli {

/// Runs `keyturn` with these arguments (without the program's name) and answers its exit code.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Terminal& terminal);

}  // namespace keyturn::cli
