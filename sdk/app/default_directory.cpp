// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/default_directory.hpp"

#include <cstdlib>

namespace keyturn::sdk {

Result<std::filesystem::path> default_directory() {
  // The secure form: a program with raised rights must not be led elsewhere by its caller.
  if (const char* data = ::secure_getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
    return std::filesystem::path(data) / "keyturn";
  if (const char* home = ::secure_getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".local" / "share" / "keyturn";
  return Error(ErrorCode::InvalidConfiguration,
               "no folder for the token store: set TokenStoreConfiguration::directory or HOME");
}

}  // namespace keyturn::sdk
