// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace keyturn::server::functions {

/// Leaves this process the files that Node.js needs to start, for reading, and no other; no TCP, no signals
/// and no abstract sockets where the kernel can tell (Landlock ABI 4 and 6). Needs no_new_privs. False: it
/// could not be done.
[[nodiscard]] bool restrict_files(const char* node);

}  // namespace keyturn::server::functions
