// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/admin_commands.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"

namespace CLI {
class App;
}

namespace keyturn::cli {

/// What an administrator asks for.
struct AdminRequest {
  std::string email;
  std::string app;
  std::string name;
  std::string provider;
  std::string config_json;
  std::string user;
  std::string after;
  std::string folder;
  std::string value_json;
  std::vector<std::string> arguments;
  bool only_errors = false;
  std::string log_types;
  std::int64_t most_lines = 25;
  std::string method = "GET";
  std::string path;
  std::string body;
  std::optional<std::int64_t> access_seconds;
  std::optional<std::int64_t> refresh_seconds;
  std::optional<std::int64_t> idle_seconds;
  bool idle_off = false;
  std::string algorithm;
  std::optional<std::int64_t> least_characters;
  std::optional<bool> refuse_common;
  /// Set by the chosen command.
  std::function<Answer(Administrator&, const AdminRequest&, Terminal&)> command;
};

/// Adds `keyturn admin ...`. The request outlives the parser.
void add_admin_commands(CLI::App& parser, AdminRequest& request);

/// Logs the administrator in (address by --admin-email or KEYTURN_ADMIN_EMAIL, password from
/// KEYTURN_ADMIN_PASSWORD or asked for) and runs the command, about the app of the settings unless the
/// request names another.
[[nodiscard]] Answer run_admin(const AdminRequest& request, const Settings& settings, Terminal& terminal);

}  // namespace keyturn::cli
