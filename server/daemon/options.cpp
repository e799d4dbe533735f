// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/options.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/json/json.hpp"

namespace keyturn::server::daemon {
namespace {

constexpr std::array<OptionSpec, 13> kSpecs = {{
    {"data", OptionKind::text, "DIR", "Folder of the database and the keys; made when missing"},
    {"listen", OptionKind::text, "ADDRESS:PORT",
     "Where to listen; port 0 takes a free one (default 127.0.0.1:9090)"},
    {"public_url", OptionKind::text, "URL",
     "How clients reach this server, for bound sessions and links (default: http:// and the address it listens on, "
     "with the forms of localhost)"},
    {"admin_email", OptionKind::text, "EMAIL",
     "The first administrator; KEYTURN_ADMIN_PASSWORD gives the password, otherwise one is made and printed "
     "once"},
    {"email_dir", OptionKind::text, "DIR",
     "Folder that gets each outgoing e-mail as a file (default: DATA/email)"},
    {"port_file", OptionKind::text, "FILE", "File that gets the port number once the server listens"},
    {"allow_short_lifetimes", OptionKind::flag, "",
     "Allow token lifetimes from one second on: for demos and tests"},
    {"allow_private_jwks", OptionKind::flag, "", "Allow JWK URIs that lead to private or loopback addresses"},
    {"link_clusters", OptionKind::flag, "",
     "Connect services to the MongoDB clusters that their configuration names (default: their documents are "
     "kept here)"},
    {"node", OptionKind::text, "PATH",
     "Node.js that runs the apps' functions (default /usr/bin/node); without one functions answer 503"},
    {"trusted_proxies", OptionKind::text, "ADDRESS,...",
     "Proxies whose X-Forwarded-For tells the client's address (default: none)"},
    {"threads", OptionKind::number, "N", "Threads for network work (default 1)"},
    {"log_level", OptionKind::text, "LEVEL", "debug, info, warning or error (default info)"},
}};

constexpr std::size_t kMaxFileBytes = std::size_t{64} * 1024;

const OptionSpec* find_spec(std::string_view name) {
  const auto found =
      std::find_if(kSpecs.begin(), kSpecs.end(), [&](const OptionSpec& spec) { return spec.name == name; });
  return found == kSpecs.end() ? nullptr : &*found;
}

Error invalid(std::string_view option, const std::string& why) {
  return Error(ErrorCode::InvalidConfiguration, "option " + std::string(option) + ": " + why);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number least, Number most) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    return std::nullopt;
  return number;
}

bool is_ip_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

Result<void> read_listen(std::string_view text, Config& config) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("listen", "expected ADDRESS:PORT");
  std::string address(text.substr(0, colon));
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (address == "localhost") address = "127.0.0.1";
  if (!is_ip_address(address) || bracketed != (address.find(':') != std::string::npos)) {
    return invalid("listen", "the address must be an IP address, IPv6 in brackets");
  }
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 0, 65'535);
  if (!port) return invalid("listen", "the port must be 0 to 65535");
  config.address = std::move(address);
  config.port = *port;
  return {};
}

Result<void> read_public_url(std::string_view url, Config& config) {
  std::string_view rest = url;
  for (const std::string_view scheme : {std::string_view("https://"), std::string_view("http://")}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  const bool clean = std::all_of(rest.begin(), rest.end(),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (rest.size() == url.size() || rest.empty() || !clean ||
      rest.find_first_of("/?#@") != std::string_view::npos) {
    return invalid("public_url",
                   "expected http:// or https://, a host and perhaps a port, and nothing after it");
  }
  config.public_url = url;
  return {};
}

Result<void> read_trusted_proxies(std::string_view text, Config& config) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string address(text.substr(0, comma));
    if (!is_ip_address(address)) return invalid("trusted_proxies", "expected IP addresses between commas");
    config.trusted_proxies.push_back(std::move(address));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return {};
}

Result<bool> read_flag(std::string_view name, std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return invalid(name, "expected true or false");
}

}  // namespace

std::span<const OptionSpec> option_specs() { return kSpecs; }

std::string command_line_name(std::string_view option_name) {
  std::string name = "--" + std::string(option_name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string environment_name(std::string_view option_name) {
  std::string name = "KEYTURN_" + std::string(option_name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
  return name;
}

OptionValues values_from_environment(
    const std::function<std::optional<std::string>(const std::string&)>& get) {
  OptionValues values;
  for (const OptionSpec& spec : kSpecs) {
    if (auto value = get(environment_name(spec.name))) values[std::string(spec.name)] = std::move(*value);
  }
  return values;
}

Result<OptionValues> values_from_json(std::string_view text) {
  json::Limits limits;
  limits.max_bytes = kMaxFileBytes;
  const Result<json::Value> parsed = json::parse(text, limits);
  if (!parsed) return Error(ErrorCode::InvalidConfiguration, parsed.error().message);
  const json::Object* members = parsed->as_object();
  if (members == nullptr) return Error(ErrorCode::InvalidConfiguration, "expected a JSON object");
  OptionValues values;
  for (const auto& [name, value] : *members) {
    const OptionSpec* spec = find_spec(name);
    if (spec == nullptr) return invalid(name, "there is no such option");
    std::string& target = values[name];
    if (const std::string* s = value.as_string(); s != nullptr && spec->kind == OptionKind::text) {
      target = *s;
    } else if (const bool* b = value.as_bool(); b != nullptr && spec->kind == OptionKind::flag) {
      target = *b ? "true" : "false";
    } else if (const std::int64_t* i = value.as_int(); i != nullptr && spec->kind == OptionKind::number) {
      target = std::to_string(*i);
    } else {
      constexpr std::array<const char*, 3> kExpected = {"expected a string", "expected a number",
                                                        "expected true or false"};
      return invalid(name, kExpected[static_cast<std::size_t>(spec->kind)]);
    }
  }
  return values;
}

Result<OptionValues> values_from_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::InvalidConfiguration, path.string() + ": cannot be read");
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || text.size() > kMaxFileBytes)
    return Error(ErrorCode::InvalidConfiguration, path.string() + ": longer than 64 KiB");
  Result<OptionValues> values = values_from_json(text);
  if (!values) return Error(ErrorCode::InvalidConfiguration, path.string() + ": " + values.error().message);
  return values;
}

OptionValues merge(OptionValues file, const OptionValues& environment, const OptionValues& command_line) {
  for (const OptionValues* above : {&environment, &command_line}) {
    for (const auto& [name, value] : *above) file[name] = value;
  }
  return file;
}

Result<Config> make_config(const OptionValues& values) {
  Config config;
  for (const auto& [name, value] : values) {
    if (value.find('\0') != std::string::npos) return invalid(name, "holds a NUL");
    Result<void> read;
    if (name == "data") {
      config.data = value;
    } else if (name == "listen") {
      read = read_listen(value, config);
    } else if (name == "public_url") {
      read = read_public_url(value, config);
    } else if (name == "admin_email") {
      const std::size_t at = value.find('@');
      if (at == std::string::npos || at == 0 || at + 1 == value.size())
        return invalid(name, "expected an e-mail address");
      config.admin_email = value;
    } else if (name == "email_dir") {
      config.email_dir = value;
    } else if (name == "port_file") {
      config.port_file = value;
    } else if (name == "link_clusters") {
      const Result<bool> flag = read_flag(name, value);
      if (!flag) return flag.error();
      config.link_clusters = *flag;
    } else if (name == "allow_short_lifetimes" || name == "allow_private_jwks") {
      const Result<bool> flag = read_flag(name, value);
      if (!flag) return flag.error();
      (name == "allow_short_lifetimes" ? config.allow_short_lifetimes : config.allow_private_jwks) = *flag;
    } else if (name == "trusted_proxies") {
      read = read_trusted_proxies(value, config);
    } else if (name == "node") {
      config.node = value;
    } else if (name == "threads") {
      const auto threads = parse_number<std::size_t>(value, 1, 64);
      if (!threads) return invalid(name, "expected a number from 1 to 64");
      config.threads = *threads;
    } else if (name == "log_level") {
      if (value != "debug" && value != "info" && value != "warning" && value != "error") {
        return invalid(name, "expected debug, info, warning or error");
      }
      config.log_level = value;
    }
    if (!read) return read.error();
  }
  if (config.data.empty()) return invalid("data", "a folder is needed (--data DIR)");
  if (config.email_dir.empty()) config.email_dir = config.data / "email";
  return config;
}

}  // namespace keyturn::server::daemon
