// SPDX-License-Identifier: Apache-2.0
#include "tests/end_to_end/daemon_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/json/json.hpp"

namespace keyturn::end_to_end {
namespace {

constexpr int kStartTries = 1'000;  // of 10 ms each

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

DaemonProcess::DaemonProcess(std::vector<std::string> extra_arguments)
    : extra_arguments_(std::move(extra_arguments)) {
  start();
}

DaemonProcess::~DaemonProcess() {
  if (pid_ > 0) stop(SIGKILL);
}

void DaemonProcess::start() {
  const std::filesystem::path port_file = folder_.path() / "port";
  std::filesystem::remove(port_file);
  std::vector<std::string> arguments = {KEYTURND_PATH,
                                        "serve",
                                        "--data",
                                        (folder_.path() / "data").string(),
                                        "--listen",
                                        "127.0.0.1:" + port_,
                                        "--port-file",
                                        port_file.string(),
                                        "--admin-email",
                                        kAdminEmail,
                                        "--allow-short-lifetimes"};
  arguments.insert(arguments.end(), extra_arguments_.begin(), extra_arguments_.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::string password = std::string("KEYTURN_ADMIN_PASSWORD=") + kAdminPassword;
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";  // where the functions' Node.js is
  char* environment[] = {password.data(), path.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = (folder_.path() / "log").string();
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int failed = posix_spawn(&pid_, KEYTURND_PATH, &actions, nullptr, argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("keyturnd could not be started");

  for (int tries = 0; tries < kStartTries; ++tries) {
    const std::string port = read_file(port_file);
    if (port.find_first_of("0123456789") != std::string::npos) {
      port_ = port.substr(0, port.find_first_not_of("0123456789"));
      base_url_ = "http://127.0.0.1:" + port_;
      return;
    }
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("keyturnd ended at once:\n" + this->log());
    }
    poll(nullptr, 0, 10);
  }
  throw std::runtime_error("keyturnd does not listen");
}

int DaemonProcess::stop(int signal) {
  if (pid_ <= 0) return 0;
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string DaemonProcess::log() const { return read_file(folder_.path() / "log"); }

int DaemonProcess::count_log_lines(const std::vector<std::string>& texts) const {
  std::ifstream file(folder_.path() / "log");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    bool all = true;
    for (const std::string& text : texts) all = all && line.find(text) != std::string::npos;
    if (all) ++count;
  }
  return count;
}

int DaemonProcess::status_of_get(const std::string& path, const std::string& bearer) const {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                              bearer + "\r\nConnection: close\r\n\r\n";
  std::string answer;
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send(connection, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(connection, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(connection);
  constexpr std::size_t kStatusAt = 9;  // after "HTTP/1.1 "
  return answer.size() < kStatusAt + 3 ? 0 : std::stoi(answer.substr(kStatusAt, 3));
}

Administrator::Administrator(const DaemonProcess& daemon) : client_(daemon.base_url()) {
  client_.login(kAdminEmail, Secret(kAdminPassword)).get();
  const auto profile = json::parse(send("GET", "/auth/profile"));
  group_ = profile->find("roles")->as_array()->front().string_at("group_id").value();
}

std::string Administrator::send(const std::string& method, const std::string& path, const std::string& body) {
  const HttpResponse response = client_.send(method, path, body).get();
  if (response.status < 200 || response.status > 299) {
    throw std::runtime_error(method + " " + path + ": " + std::to_string(response.status) + " " +
                             response.body);
  }
  return response.body;
}

TestApp Administrator::create_app(const std::string& name, int access_lifetime, int refresh_lifetime) {
  const auto app = json::parse(send("POST", "/groups/" + group_ + "/apps", R"({"name":")" + name + R"("})"));
  TestApp made{std::string(app->string_at("client_app_id").value()),
               "/groups/" + group_ + "/apps/" + std::string(app->string_at("_id").value())};
  send("POST", made.path + "/auth_providers", R"({"type":"anon-user"})");
  send("POST", made.path + "/auth_providers", R"({"type":"local-userpass","config":{"autoConfirm":true}})");
  const auto set = [&](const char* member, int value) {
    if (value == 0) return;
    send("PATCH", made.path + "/security/token_settings",
         std::string("{\"") + member + "\":" + std::to_string(value) + "}");
  };
  set("access_token_lifetime_seconds", access_lifetime);
  set("refresh_token_lifetime_seconds", refresh_lifetime);
  return made;
}

}  // namespace keyturn::end_to_end
