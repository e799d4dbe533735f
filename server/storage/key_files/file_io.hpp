// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

// The file system calls behind the key files. Errors carry a text for the operator, with the system's reason.
namespace keyturn::server::key_files {

/// Makes the folder (0700) when it is missing. Errors: `InvalidConfiguration` when others can enter it.
Result<void> make_private_folder(const std::filesystem::path& folder);

/// Writes a new file (0600) so that after a crash there is all of it or nothing: a file of another name,
/// synced, renamed, folder synced. Errors: `ServiceUnavailable`; the name is free then, or holds what it
/// held.
Result<void> write_durably(const std::filesystem::path& folder, const std::string& name,
                           std::string_view bytes);

/// Reads a file that nobody else may read or write, at most 64 KiB. Errors: `InvalidConfiguration`, one clear
/// line.
Result<std::string> read_private(const std::filesystem::path& file);

/// Deletes the file; true when it is gone for good.
bool remove_durably(const std::filesystem::path& folder, const std::string& name);

}  // namespace keyturn::server::key_files
