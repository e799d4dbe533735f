// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include <keyturn/admin.hpp>

namespace keyturn::end_to_end {

/// A folder that is removed with its content at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Its first administrator.
inline constexpr const char* kAdminEmail = "admin@example.com";
inline constexpr const char* kAdminPassword = "correct horse battery staple";

/// The real daemon on a free port. `stop` and `start` may follow each other: the data stays.
class DaemonProcess {
 public:
  explicit DaemonProcess(std::vector<std::string> extra_arguments = {});
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  /// Starts it, on the same port as before when there was one, and waits until it listens.
  void start();
  /// Sends the signal and waits for the end; answers the exit status, or minus the signal that ended it.
  int stop(int signal);

  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  /// Lines of the log so far that contain all of the texts.
  [[nodiscard]] int count_log_lines(const std::vector<std::string>& texts) const;
  [[nodiscard]] std::string log() const;
  /// Status of a GET with that bearer over a connection of its own, without any client library.
  [[nodiscard]] int status_of_get(const std::string& path, const std::string& bearer) const;

 private:
  TemporaryFolder folder_;
  std::vector<std::string> extra_arguments_;
  std::string port_ = "0";
  std::string base_url_;
  pid_t pid_ = -1;
};

struct TestApp {
  std::string id;    ///< Client app id.
  std::string path;  ///< "/groups/G/apps/A" of the admin API.
};

/// An administrator of that daemon.
class Administrator {
 public:
  explicit Administrator(const DaemonProcess& daemon);
  /// Sends and expects a 2xx; answers the body.
  std::string send(const std::string& method, const std::string& path, const std::string& body = {});
  /// An app with anonymous and e-mail users and these lifetimes in seconds (0: the default).
  TestApp create_app(const std::string& name, int access_lifetime = 0, int refresh_lifetime = 0);

 private:
  admin::Client client_;
  std::string group_;
};

}  // namespace keyturn::end_to_end
