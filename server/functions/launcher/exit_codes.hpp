// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace keyturn::server::functions {

/// Why the launcher did not become a worker. It never starts one with a layer of the sandbox missing.
enum class LauncherExit : int {
  wrong_usage = 64,
  files_failed = 70,     ///< A file descriptor could not be put in its place.
  limits_failed = 71,    ///< A resource limit could not be set.
  identity_failed = 72,  ///< Root's rights could not be given up.
  parent_gone = 73,      ///< The server ended while the worker was starting.
  landlock_failed = 74,  ///< The kernel has no Landlock, or refused the rules.
  seccomp_failed = 75,   ///< The kernel has no seccomp filters, or refused this one.
  exec_failed = 76,      ///< Node.js could not be started.
};

}  // namespace keyturn::server::functions
