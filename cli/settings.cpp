// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include <keyturn/ejson.hpp>

namespace keyturn::cli {
namespace {

std::filesystem::path remembered_file(const std::filesystem::path& store) { return store / "cli.json"; }

std::string member(const EjsonDocument& document, std::string_view name) {
  const Ejson* value = document.find(name);
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? "" : *text;
}

// Without a stream, whose first use takes `keyturn token` longer than all of this.
std::string text_of(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::read(file, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  ::close(file);
  return text;
}

EjsonDocument read_remembered(const std::filesystem::path& store) {
  const auto parsed = Ejson::parse(text_of(remembered_file(store)));
  const auto* document = parsed ? parsed->get_if<EjsonDocument>() : nullptr;
  return document == nullptr ? EjsonDocument{} : *document;
}

}  // namespace

std::filesystem::path default_store(const Terminal& terminal) {
  if (const auto data = terminal.environment("XDG_DATA_HOME"))
    return std::filesystem::path(*data) / "keyturn";
  return std::filesystem::path(terminal.environment("HOME").value_or(".")) / ".local/share/keyturn";
}

std::filesystem::path default_key_file(const std::filesystem::path& store, const Terminal& terminal) {
  if (const auto config = terminal.environment("XDG_CONFIG_HOME"))
    return std::filesystem::path(*config) / "keyturn/store.key";
  if (const auto home = terminal.environment("HOME"))
    return std::filesystem::path(*home) / ".config/keyturn/store.key";
  return store / "store.key";
}

Settings filled(Settings given, const Terminal& terminal) {
  if (given.store.empty()) given.store = terminal.environment("KEYTURN_STORE").value_or("");
  if (given.store.empty()) given.store = default_store(terminal);
  if (given.key_file.empty()) given.key_file = terminal.environment("KEYTURN_KEY_FILE").value_or("");
  if (given.key_file.empty()) given.key_file = default_key_file(given.store, terminal);
  if (given.app_id.empty()) given.app_id = terminal.environment("KEYTURN_APP").value_or("");
  if (given.base_url.empty()) given.base_url = terminal.environment("KEYTURN_BASE_URL").value_or("");
  if (given.app_id.empty() || given.base_url.empty()) {
    const EjsonDocument remembered = read_remembered(given.store);
    if (given.app_id.empty()) given.app_id = member(remembered, "app");
    if (given.base_url.empty()) given.base_url = member(remembered, "base_url");
  }
  return given;
}

Result<Settings> complete(Settings given, const Terminal& terminal) {
  given = filled(std::move(given), terminal);
  if (given.app_id.empty())
    return Error(ErrorCode::InvalidConfiguration, "no app: give --app or set KEYTURN_APP");
  if (given.base_url.empty())
    return Error(ErrorCode::InvalidConfiguration, "no server: give --base-url or set KEYTURN_BASE_URL");
  return given;
}

App::configuration configuration_of(const Settings& settings) {
  App::configuration out;
  out.app_id = settings.app_id;
  out.base_url = settings.base_url;
  out.store =
      TokenStoreConfiguration::in_directory(settings.store, TokenStoreKey::in_file(settings.key_file));
  return out;
}

Result<void> remember(const Settings& settings) {
  const std::string text =
      Ejson(EjsonDocument{{"app", settings.app_id}, {"base_url", settings.base_url}}).to_relaxed() + "\n";
  const std::filesystem::path next = remembered_file(settings.store).string() + ".new";
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  if (file >= 0) close(file);
  std::error_code fault;
  if (written) std::filesystem::rename(next, remembered_file(settings.store), fault);
  if (!written || fault) return Error(ErrorCode::StoreUnavailable, "the store's folder cannot be written");
  return {};
}

}  // namespace keyturn::cli
