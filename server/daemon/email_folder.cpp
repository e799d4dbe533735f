// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/email_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/crypto/crypto.hpp"

namespace keyturn::server::daemon {
namespace {

std::string header_line(std::string_view name, std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return std::string(name) + ": " + value + "\n";
}

}  // namespace

bool write_file_whole(const std::filesystem::path& path, const std::string& content) {
  const std::string other = path.string() + "." + crypto::hex_encode(crypto::random_bytes(4)) + ".tmp";
  const int file = ::open(other.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  std::string_view left = content;
  bool good = true;
  while (good && !left.empty()) {
    const ssize_t written = ::write(file, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    good = written > 0;
    if (good) left.remove_prefix(static_cast<std::size_t>(written));
  }
  good = ::close(file) == 0 && good;
  good = good && std::rename(other.c_str(), path.c_str()) == 0;
  if (!good) {
    const int cause = errno;
    ::unlink(other.c_str());
    errno = cause;
  }
  return good;
}

EmailFolder::EmailFolder(std::filesystem::path folder, Clock& clock, Log& log)
    : folder_(std::move(folder)), clock_(clock), log_(log) {}

Result<void> EmailFolder::send(const EmailMessage& message) {
  std::error_code ignored;  // what keeps the folder from being made keeps the file from being written too
  std::filesystem::create_directories(folder_, ignored);
  const std::string name = std::to_string(clock_.wall_now().time_since_epoch().count()) + "-" +
                           crypto::hex_encode(crypto::random_bytes(8)) + ".eml";
  const std::string content =
      header_line("To", message.to) + header_line("Subject", message.subject) + "\n" + message.body + "\n";
  if (!write_file_whole(folder_ / name, content)) {
    log_.error("an e-mail could not be written",
               {{"cause", std::string_view(std::generic_category().message(errno))}});
    return Error(ErrorCode::ServiceUnavailable, "the e-mail could not be sent");
  }
  return {};
}

}  // namespace keyturn::server::daemon
