// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// Where the token store lives when the app does not say: `$XDG_DATA_HOME/keyturn`, else
/// `~/.local/share/keyturn`. Errors: `InvalidConfiguration` when neither is known.
[[nodiscard]] Result<std::filesystem::path> default_directory();

}  // namespace keyturn::sdk
