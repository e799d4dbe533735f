// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <keyturn/ejson.hpp>
#include <keyturn/user.hpp>

#include "cli/admin_commands.hpp"
#include "cli/terminal.hpp"

// Functions of an app: called by a user, put in place by an administrator.
namespace keyturn::cli {

struct CallChoice {
  std::string name;
  std::vector<std::string> arguments;
};

/// What an argument of a function means: Extended JSON where the text is that, else the text itself.
[[nodiscard]] Ejson argument_of(const std::string& text);
/// The arguments of a function as the parser of the command line left them: a space that guarded one is taken
/// away.
[[nodiscard]] EjsonArray arguments_of(const std::vector<std::string>& guarded);
[[nodiscard]] Answer call_function(const User& user, const CallChoice& choice);

/// The functions of a folder as the hosted service exports it: one `NAME.js` each, and `config.json` with a
/// list of their settings, `[{"name": "NAME", "private": true}]`. A function without an entry has the
/// defaults. Folders below, but `node_modules`, give names such as "folder/NAME"; the older form
/// `NAME/source.js` with `NAME/config.json` is understood as well. Errors: `InvalidConfiguration` naming the
/// file.
[[nodiscard]] Result<std::vector<EjsonDocument>> read_functions(const std::filesystem::path& folder);

/// Creates what the app has not, updates what differs, leaves the rest alone; tells which is which.
[[nodiscard]] Answer push_functions(Administrator& admin, const std::string& app_path,
                                    const std::filesystem::path& folder);

}  // namespace keyturn::cli
