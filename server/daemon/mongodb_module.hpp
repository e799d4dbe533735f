// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include <keyturn/base/result.hpp>

#include "server/storage/mongodb/module/module.hpp"

namespace keyturn::server::daemon {

/// Loads the module of linked clusters, for the life of the process. Errors: `InvalidConfiguration`: it
/// cannot be loaded, saying why, or is of another version than `version`.
[[nodiscard]] Result<const mongodb::Module*> load_mongodb_module(const std::filesystem::path& file,
                                                                 const char* version);

}  // namespace keyturn::server::daemon
