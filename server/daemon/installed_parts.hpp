// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include <keyturn/base/result.hpp>

namespace keyturn::server::daemon {

/// What functions need besides Node.js.
struct FunctionPrograms {
  std::filesystem::path launcher;
  std::filesystem::path function_host;  ///< Folder of worker.js.
};

/// Looks beside an executable of that path: in an installation (`../libexec/keyturn`,
/// `../share/keyturn/function_host`) and in a build tree. Errors: `InvalidConfiguration` naming what is
/// missing.
[[nodiscard]] Result<FunctionPrograms> find_function_programs(const std::filesystem::path& executable);

/// The module of linked MongoDB clusters (server/storage/mongodb/module/module.hpp), looked for in the same
/// places. Errors: `InvalidConfiguration`.
[[nodiscard]] Result<std::filesystem::path> find_mongodb_module(const std::filesystem::path& executable);

/// The file that this process runs; empty when it cannot be told.
[[nodiscard]] std::filesystem::path own_executable();

}  // namespace keyturn::server::daemon
