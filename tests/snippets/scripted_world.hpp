// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace snippets {

/// Address of a scripted server that knows ada@example.com; the first call starts it, and gives the program
/// an empty folder for its users. Both end with the process.
[[nodiscard]] std::string server_address();

}  // namespace snippets
