// SPDX-License-Identifier: Apache-2.0
// Row B-27 in small: a server whose certificate nobody vouches for gets no request.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "sdk/transport/curl_loop.hpp"

namespace keyturn::sdk {
namespace {

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

TEST(Tls, CertificateOfNoAuthorityIsRefusedBeforeAnythingIsSent) {
  std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-tls-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const std::string key = folder / "key.pem";
  const std::string certificate = folder / "certificate.pem";
  Program made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1"});
  ASSERT_TRUE(made.started()) << "no openssl program; script/bootstrap installs it";
  ASSERT_EQ(made.end(), 0);
  Program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate});
  server.read_until("ACCEPT 127.0.0.1:");
  const std::string port = server.read_until("\n");
  ASSERT_GT(port.size(), 1U);

  CurlLoop loop(system_clock());
  CurlTransport transport(loop);
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    std::promise<Result<HttpResponse>> answer;
    transport.send({.method = "GET",
                    .url = "https://" + host + ":" + port.substr(0, port.size() - 1) + "/x",
                    .headers = {{"Authorization", "Bearer canary"}},
                    .timeout = std::chrono::seconds{10}},
                   [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
    const auto result = answer.get_future().get();
    ASSERT_FALSE(result.has_value()) << host;
    EXPECT_EQ(result.error().code, ErrorCode::NetworkError);
    EXPECT_NE(result.error().message.find("certificate"), std::string::npos) << result.error().message;
  }
  loop.stop();
  server.stop();
  EXPECT_EQ(server.read_until("canary").find("canary"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace keyturn::sdk
