// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace keyturn::server::functions {

/// Leaves this process the system calls that Node.js needs to run a program that touches nothing. All others
/// fail with EPERM; some that only an attacker would try end the process. False: it could not be done.
[[nodiscard]] bool restrict_system_calls();

}  // namespace keyturn::server::functions
