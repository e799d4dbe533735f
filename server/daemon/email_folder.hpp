// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <keyturn/base/clock.hpp>

#include "server/daemon/log.hpp"
#include "server/domain/ports.hpp"

namespace keyturn::server::daemon {

/// Writes each message to a file of its own, for a mail program to pick up or a developer to read: name
/// `<microseconds since 1970>-<random>.eml`, mode 0600, lines `To:`, `Subject:`, an empty line, the text. A
/// file appears under its name when it is whole.
///
/// Thread safety: all members. Errors: `ServiceUnavailable`; the cause is in the log.
class EmailFolder final : public EmailSender {
 public:
  EmailFolder(std::filesystem::path folder, Clock& clock, Log& log);
  Result<void> send(const EmailMessage& message) override;

 private:
  std::filesystem::path folder_;
  Clock& clock_;
  Log& log_;
};

/// Writes a file (0600) under another name and renames it. False, with `errno` set: it could not be written.
bool write_file_whole(const std::filesystem::path& path, const std::string& content);

}  // namespace keyturn::server::daemon
