// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

namespace keyturn::server::daemon {

enum class OptionKind { text, number, flag };

/// One option. It is `--the-name` on the command line, `KEYTURN_THE_NAME` in the environment, and `the_name`
/// in the configuration file.
struct OptionSpec {
  std::string_view name;  ///< As in the file.
  OptionKind kind = OptionKind::text;
  std::string_view value_name;
  std::string_view help;
};

/// Every option but `config`, which names the file itself.
[[nodiscard]] std::span<const OptionSpec> option_specs();
[[nodiscard]] std::string command_line_name(std::string_view option_name);
[[nodiscard]] std::string environment_name(std::string_view option_name);

/// Values by option name, as text; a flag is "true" or "false".
using OptionValues = std::map<std::string, std::string, std::less<>>;

/// What the environment says.
[[nodiscard]] OptionValues values_from_environment(
    const std::function<std::optional<std::string>(const std::string&)>& get);
/// What a configuration file says: one JSON object. Errors: `InvalidConfiguration`, one line that names the
/// member.
[[nodiscard]] Result<OptionValues> values_from_json(std::string_view text);
/// Reads such a file, at most 64 KiB.
[[nodiscard]] Result<OptionValues> values_from_file(const std::filesystem::path& path);

/// What the daemon was told.
struct Config {
  std::filesystem::path data;
  std::string address = "127.0.0.1";
  std::uint16_t port = 9'090;
  std::string public_url;  ///< Empty: derived from the address and port.
  std::string admin_email;
  std::filesystem::path email_dir;  ///< Empty: `email` in the data folder.
  std::filesystem::path port_file;
  bool allow_short_lifetimes = false;
  bool allow_private_jwks = false;
  std::filesystem::path node = "/usr/bin/node";
  std::size_t threads = 1;
  std::string log_level = "info";
  std::vector<std::string> trusted_proxies;
  bool link_clusters = false;
};

/// Checks the values and makes the configuration of them. Errors: `InvalidConfiguration`, one line that names
/// the option.
[[nodiscard]] Result<Config> make_config(const OptionValues& values);

/// The command line stands above the environment, that above the file, that above the defaults.
[[nodiscard]] OptionValues merge(OptionValues file, const OptionValues& environment,
                                 const OptionValues& command_line);

}  // namespace keyturn::server::daemon
