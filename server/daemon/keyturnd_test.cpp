// SPDX-License-Identifier: Apache-2.0
// The program as an operator meets it: every refusal to start is one clear line and a status, soon (row
// B-92).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::daemon {
namespace {

using std::chrono::milliseconds;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Ended {
  int status = -1;
  std::string out;
  std::string err;
  BootClock::duration took{};
};

/// One run of the program.
class Program {
 public:
  Program(const std::filesystem::path& folder, std::vector<std::string> arguments,
          std::vector<std::string> environment = {})
      : out_(folder / "stdout"), err_(folder / "stderr"), begin_(system_clock().boot_now()) {
    arguments.insert(arguments.begin(), KEYTURND_PATH);
    std::vector<char*> argv;
    std::vector<char*> envp;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    for (std::string& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                       0600);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                       0600);
    EXPECT_EQ(::posix_spawn(&pid_, KEYTURND_PATH, &actions, nullptr, argv.data(), envp.data()), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void signal(int number) const { ::kill(pid_, number); }
  /// The end of the program; killed after ten seconds.
  Ended wait() {
    Ended ended;
    int status = 0;
    for (int tries = 0; ::waitpid(pid_, &status, WNOHANG) == 0; ++tries) {
      if (tries == 2'000) ::kill(pid_, SIGKILL);
      ::poll(nullptr, 0, 5);
    }
    pid_ = -1;
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    ended.out = read_file(out_);
    ended.err = read_file(err_);
    ended.took = system_clock().boot_now() - begin_;
    return ended;
  }
  [[nodiscard]] std::string log() const { return read_file(err_); }

 private:
  pid_t pid_ = -1;
  std::filesystem::path out_;
  std::filesystem::path err_;
  BootTime begin_;
};

class Keyturnd : public ::testing::Test {
 protected:
  Keyturnd() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturnd-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Keyturnd() override { std::filesystem::remove_all(folder_); }

  std::string data() { return (folder_ / "data").string(); }
  std::vector<std::string> serve(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"serve",       "--data",      data(),     "--listen",
                                          "127.0.0.1:0", "--port-file", port_file()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string port_file() { return (folder_ / "port").string(); }
  /// The port once the server listens.
  std::string wait_for_port() {
    for (int tries = 0; tries < 2'000; ++tries) {
      const std::string port = read_file(port_file());
      if (!port.empty()) return port.substr(0, port.size() - 1);
      ::poll(nullptr, 0, 5);
    }
    ADD_FAILURE() << "the server does not listen: " << read_file(folder_ / "stderr");
    return "0";
  }
  Ended run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    Program program(folder_, std::move(arguments), std::move(environment));
    return program.wait();
  }
  void expect_refusal(const Ended& ended, const std::string& text) {
    EXPECT_EQ(ended.status, 1);
    EXPECT_LE(ended.took, milliseconds(1'000));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    EXPECT_NE(ended.err.find(text), std::string::npos) << ended.err;
    EXPECT_EQ(ended.out, "");
  }
  void make_data_folder() {
    Program program(folder_, serve());
    wait_for_port();
    std::filesystem::remove(port_file());
    program.signal(SIGTERM);
    ASSERT_EQ(program.wait().status, 0);
  }
  std::filesystem::path one_key_file() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "data" / "keys"))
      return entry.path();
    ADD_FAILURE() << "no key file";
    return {};
  }

  std::filesystem::path folder_;
};

TEST_F(Keyturnd, TellsItsVersionAndHelps) {
  const Ended version = run({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.substr(0, 9), "keyturnd ");
  const Ended help = run({"serve", "--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* name :
       {"--data", "--listen", "--public-url", "--config", "--admin-email", "KEYTURN_LISTEN"}) {
    EXPECT_NE(help.out.find(name), std::string::npos) << name;
  }
}

TEST_F(Keyturnd, AnswersTwoToAWrongCommandLine) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"fly"}, {"serve", "--fly"}, {"serve", "--data"}}) {
    EXPECT_EQ(run(arguments).status, 2);
  }
}

TEST_F(Keyturnd, ChecksItsConfigurationFromEverySource) {
  std::ofstream(folder_ / "good.json") << R"({"data":"d","listen":"127.0.0.1:1","threads":2})";
  std::ofstream(folder_ / "bad.json") << R"({"data":"d","lisen":"127.0.0.1:1"})";
  const std::string good = (folder_ / "good.json").string();
  const std::string bad = (folder_ / "bad.json").string();
  EXPECT_EQ(run({"check-config", "--config", good}).status, 0);
  EXPECT_EQ(run({"check-config"}, {"KEYTURN_CONFIG=" + good}).status, 0);
  expect_refusal(run({"check-config", "--config", bad}), "bad.json: option lisen: there is no such option");
  expect_refusal(run({"serve", "--config", bad}), "option lisen");
  expect_refusal(run({"check-config", "--config", "/nowhere.json"}), "/nowhere.json: cannot be read");
  expect_refusal(run({"check-config", "--config", good}, {"KEYTURN_THREADS=none"}), "option threads");
  expect_refusal(run({"check-config"}), "option data");
  expect_refusal(run({"check-config", "--data", "d", "--listen", "here"}), "option listen");
}

TEST_F(Keyturnd, StartsAnswersAndStopsWithNothingLeftOpenToOthers) {
  Program program(folder_, serve());
  wait_for_port();
  program.signal(SIGTERM);
  const Ended ended = program.wait();  // the log is written behind the program's back until then
  EXPECT_NE(program.log().find("listening on http://127.0.0.1:"), std::string::npos);
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out.find("First administrator: admin@keyturn.local password: "), 0U) << ended.out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "data")) {
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077U, 0U) << entry.path();
  }
}

TEST_F(Keyturnd, PrintsTheFirstPasswordOnceAndOnlyWhenItMadeIt) {
  make_data_folder();
  Program again(folder_, serve());
  wait_for_port();
  again.signal(SIGINT);
  const Ended ended = again.wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, "");
}

TEST_F(Keyturnd, TakesTheFirstPasswordFromTheEnvironment) {
  const std::string password = "correct horse battery";
  Program program(folder_, serve({"--admin-email", "a@example.com"}), {"KEYTURN_ADMIN_PASSWORD=" + password});
  wait_for_port();
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err.find(password), std::string::npos);
}

TEST_F(Keyturnd, EndsAllSessionsOfAStoppedServerAndReplacesItsKeys) {
  expect_refusal(run({"end-sessions", "--data", data()}), "no server has ever used this folder");
  EXPECT_FALSE(std::filesystem::exists(data())) << "and makes none";
  make_data_folder();
  const std::string keys = read_file(one_key_file());
  const Ended ended = run({"end-sessions", "--data", data()});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "0 sessions have ended.\n");
  EXPECT_EQ(read_file(one_key_file()), keys);
  const Ended replaced = run({"end-sessions", "--data", data(), "--new-keys"});
  EXPECT_EQ(replaced.out, "0 sessions have ended, and all apps have new signing keys.\n") << replaced.err;
  EXPECT_NE(read_file(one_key_file()), keys);
  make_data_folder();  // starts, with the new ones
  Program running(folder_, serve());
  wait_for_port();
  const std::filesystem::path other = folder_ / "other";
  std::filesystem::create_directory(other);
  Program second(other, {"end-sessions", "--data", data()});
  expect_refusal(second.wait(), "in use by another process");
}

TEST_F(Keyturnd, RefusesAPortInUse) {
  Program first(folder_, serve());
  const std::string port = wait_for_port();
  const std::filesystem::path other = folder_ / "other";
  std::filesystem::create_directory(other);
  Program second(other, {"serve", "--data", (other / "data").string(), "--listen", "127.0.0.1:" + port});
  expect_refusal(second.wait(), "cannot listen on 127.0.0.1:" + port + ": Address already in use");
}

TEST_F(Keyturnd, RefusesAFolderThatAnotherProcessHas) {
  Program first(folder_, serve());
  wait_for_port();
  const std::filesystem::path other = folder_ / "other";
  std::filesystem::create_directory(other);
  Program second(other, serve());
  expect_refusal(second.wait(), "keyturnd: ");
}

TEST_F(Keyturnd, RefusesMissingKeys) {
  make_data_folder();
  std::filesystem::remove(one_key_file());
  expect_refusal(run(serve()), "key");
}

TEST_F(Keyturnd, RefusesKeysThatOthersCanRead) {
  make_data_folder();
  ASSERT_EQ(::chmod(one_key_file().c_str(), 0644), 0);
  expect_refusal(run(serve()), "key");
}

TEST_F(Keyturnd, RefusesShortKeys) {
  make_data_folder();
  std::string text = read_file(one_key_file());
  const std::size_t at = text.find("\"secret\":\"");
  ASSERT_NE(at, std::string::npos);
  text.erase(at + 10, 20);
  std::ofstream(one_key_file(), std::ios::trunc) << text;
  expect_refusal(run(serve()), "key");
}

TEST_F(Keyturnd, RefusesADataFolderThatItCannotMake) {
  std::ofstream(folder_ / "data") << "a file";
  expect_refusal(run(serve()), "keyturnd: ");
}

}  // namespace
}  // namespace keyturn::server::daemon
