// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn::sdk {

/// A program with its output in a pipe and an input that never comes; killed when it goes out of scope.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2] = {-1, -1};
    int silence[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0 || pipe2(silence, O_CLOEXEC) != 0) return;
    output_ = ends[0];
    input_ = silence[1];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, silence[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> words;
    for (std::string& each : arguments) words.push_back(each.data());
    words.push_back(nullptr);
    if (posix_spawnp(&process_, words[0], &actions, nullptr, words.data(), environ) != 0) process_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    close(silence[0]);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (process_ > 0) kill(process_, SIGKILL);
    end();
    close(output_);
    close(input_);
  }
  [[nodiscard]] bool started() const noexcept { return process_ > 0; }
  int end() {
    int status = -1;
    if (process_ > 0) waitpid(process_, &status, 0);
    process_ = -1;
    return status;
  }
  void stop() const { kill(process_, SIGTERM); }
  /// What it printed up to `text`, or up to its end, or within 10 s.
  std::string read_until(const std::string& text) {
    std::string seen;
    pollfd watched{.fd = output_, .events = POLLIN, .revents = 0};
    while (seen.find(text) == std::string::npos && poll(&watched, 1, 10'000) > 0) {
      char byte = 0;
      if (read(output_, &byte, 1) != 1) break;
      seen += byte;
    }
    return seen;
  }

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int input_ = -1;
};

/// An https server with a certificate of its own making for "localhost", by the openssl program. It answers
/// each request with a page about the connection.
class TlsServer {
 public:
  TlsServer() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-tls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    const std::string key = folder_ / "key.pem";
    Program made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-out", certificate(), "-days", "2", "-subj", "/CN=localhost", "-addext",
                  "subjectAltName=DNS:localhost,IP:127.0.0.1"});
    if (!made.started() || made.end() != 0) return;
    server_.emplace(std::vector<std::string>{"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key,
                                             "-cert", certificate(), "-www"});
    server_->read_until("ACCEPT 127.0.0.1:");
    port_ = server_->read_until("\n");
    if (!port_.empty()) port_.pop_back();
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] bool started() const { return !port_.empty(); }
  [[nodiscard]] const std::string& port() const { return port_; }
  [[nodiscard]] std::string certificate() const { return folder_ / "certificate.pem"; }
  /// Of its public key, as `NetworkConfiguration::pinned_keys` has it.
  [[nodiscard]] std::string pin() const {
    Program hashed({"sh", "-c",
                    "openssl x509 -in '" + certificate() +
                        "' -pubkey -noout | openssl pkey -pubin -outform DER | "
                        "openssl dgst -sha256 -binary | openssl base64"});
    std::string out = hashed.read_until("\n");
    if (!out.empty()) out.pop_back();
    return "sha256//" + out;
  }
  /// Stops it; all that it printed.
  [[nodiscard]] std::string output_so_far() {
    server_->stop();
    return server_->read_until("a text that never comes");
  }

 private:
  std::filesystem::path folder_;
  std::optional<Program> server_;
  std::string port_;
};

}  // namespace keyturn::sdk
