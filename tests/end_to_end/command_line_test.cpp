// SPDX-License-Identifier: Apache-2.0
// What a person or a script types, from an empty server to an ended session: docs/reference/cli.md.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <keyturn/ejson.hpp>

#include "tests/end_to_end/daemon_process.hpp"

namespace keyturn::end_to_end {
namespace {

constexpr const char* kProfile = "/api/client/v2.0/auth/profile";
constexpr const char* kPassword = "correct horse battery";

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string member(const std::string& json, const char* name) {
  const auto parsed = Ejson::parse(json);
  const Ejson* value = parsed ? parsed->find(name) : nullptr;
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? "" : *text;
}

class CommandLine : public testing::Test {
 protected:
  // Runs the program with these words; `typed` is its standard input.
  Outcome type(std::vector<std::string> words, const std::string& typed = {}) {
    std::ofstream(folder_.path() / "in") << typed;
    words.insert(words.begin(), program_);
    std::vector<std::string> variables = {"KEYTURN_STORE=" + (folder_.path() / "store").string(),
                                          "KEYTURN_BASE_URL=" + daemon_.base_url(),
                                          "KEYTURN_ADMIN_EMAIL=" + admin_email_};
    if (!app_.empty()) variables.push_back("KEYTURN_APP=" + app_);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::filesystem::path files[] = {folder_.path() / "in", folder_.path() / "out",
                                           folder_.path() / "err"};
    for (int each = 0; each < 3; ++each) {
      posix_spawn_file_actions_addopen(&actions, each, files[each].c_str(),
                                       each == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    pid_t process = -1;
    const int fault = posix_spawn(&process, program_.c_str(), &actions, nullptr, pointers(words).data(),
                                  pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(fault, 0);
    int status = 0;
    waitpid(process, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(files[1]), content_of(files[2])};
  }
  Outcome administer(std::vector<std::string> words, const std::string& typed = {}) {
    words.insert(words.begin(), "admin");
    Outcome outcome = type(std::move(words), admin_password_ + "\n" + typed);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome;
  }
  void make_app() {
    app_ = member(administer({"apps", "create", "shop"}).out, "client_app_id");
    ASSERT_FALSE(app_.empty());
    administer({"providers", "add", "local-userpass", "--config",
                R"({"autoConfirm":true,"resetPasswordUrl":"http://localhost/"})"});
  }
  std::string token() {
    Outcome outcome = type({"token"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out.substr(0, outcome.out.find('\n'));
  }

  const std::string admin_email_ = kAdminEmail;
  const std::string admin_password_ = kAdminPassword;
  std::string program_ = KEYTURN_PATH;
  std::string app_;
  DaemonProcess daemon_;
  TemporaryFolder folder_;

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& each : texts) all.push_back(each.data());
    all.push_back(nullptr);
    return all;
  }
};

TEST_F(CommandLine, KeepsAUserLoggedInUntilTheSessionEnds) {
  make_app();
  administer({"token-settings", "set", "--access-seconds", "2"});
  const Outcome login =
      type({"login", "--email", "ada@example.com", "--register"}, std::string(kPassword) + "\n");
  ASSERT_EQ(login.code, 0) << login.err;

  const std::string first = token();
  EXPECT_EQ(daemon_.status_of_get(kProfile, first), 200);
  EXPECT_EQ(token(), first) << "a token that is still good is not refreshed";
  std::this_thread::sleep_for(std::chrono::seconds{3});
  EXPECT_EQ(daemon_.status_of_get(kProfile, first), 401);
  const std::string second = token();
  EXPECT_EQ(daemon_.status_of_get(kProfile, second), 200);

  daemon_.stop(SIGTERM);
  EXPECT_EQ(type({"refresh"}).code, 4);
  EXPECT_EQ(type({"status"}).code, 0) << "no network is needed to know who is logged in";
  daemon_.start();
  EXPECT_EQ(type({"refresh"}).code, 0);

  const std::string user = member(type({"--json", "status"}).out, "user");
  administer({"users", "revoke", user});
  const Outcome refused = type({"--json", "refresh"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_EQ(member(refused.out, "reason"), "revoked");
  EXPECT_NE(type({"status", "--why"}).out.find("revoked"), std::string::npos);
  EXPECT_EQ(type({"token"}).code, 3);
}

// `keyturn` alone gives what is stored, and needs its other half for all else.
TEST_F(CommandLine, AStoredTokenNeedsNothingOfTheFullProgram) {
  make_app();
  ASSERT_EQ(type({"login", "--email", "ada@example.com", "--register"}, std::string(kPassword) + "\n").code,
            0);
  const std::string stored = token();
  const std::filesystem::path built(program_);
  const std::filesystem::path alone = folder_.path() / "bin";
  std::filesystem::create_directory(alone);
  std::filesystem::copy_file(built, alone / built.filename());
  std::filesystem::create_symlink(alone / built.filename(), folder_.path() / "linked");
  program_ = (folder_.path() / "linked").string();
  EXPECT_EQ(token(), stored);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"status"}, {"--json", "token"}}) {
    const Outcome refused = type(words);
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_NE(refused.err.find((alone / "keyturn-full").string()), std::string::npos) << refused.err;
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
  }
  std::filesystem::copy_file(built.parent_path() / "keyturn-full", alone / "keyturn-full");
  EXPECT_EQ(type({"status"}).code, 0);
  EXPECT_EQ(member(type({"--json", "token"}).out, "access_token"), stored);
  ASSERT_EQ(type({"logout"}).code, 0);
  EXPECT_EQ(type({"token"}).code, 3);
}

TEST_F(CommandLine, LogOutLeavesNoTokenInTheStore) {
  make_app();
  ASSERT_EQ(type({"login", "--email", "ada@example.com", "--register"}, std::string(kPassword) + "\n").code,
            0);
  const std::string given = token();
  const std::string signature = given.substr(given.rfind('.') + 1);
  ASSERT_EQ(type({"logout"}).code, 0);
  EXPECT_EQ(type({"token"}).code, 3);
  EXPECT_EQ(daemon_.status_of_get(kProfile, given), 401);
  for (const auto& file : std::filesystem::directory_iterator(folder_.path() / "store")) {
    EXPECT_EQ(content_of(file.path()).find(signature), std::string::npos) << file.path();
    EXPECT_EQ(content_of(file.path()).find(kPassword), std::string::npos) << file.path();
    EXPECT_EQ(file.status().permissions() & std::filesystem::perms::all, std::filesystem::perms(0600))
        << file.path();
  }
}

TEST_F(CommandLine, SessionsOfOtherDevicesAreEnded) {
  make_app();
  ASSERT_EQ(type({"login", "--email", "ada@example.com", "--register"}, std::string(kPassword) + "\n").code,
            0);
  const std::string elsewhere = token();
  std::filesystem::rename(folder_.path() / "store", folder_.path() / "elsewhere");
  ASSERT_EQ(type({"login", "--email", "ada@example.com"}, std::string(kPassword) + "\n").code, 0);
  const Outcome sessions = type({"sessions"});
  EXPECT_EQ(std::count(sessions.out.begin(), sessions.out.end(), '\n'), 2) << sessions.out;
  EXPECT_EQ(type({"sessions", "--revoke-others"}).code, 0);
  EXPECT_EQ(daemon_.status_of_get(kProfile, elsewhere), 401);
  EXPECT_EQ(daemon_.status_of_get(kProfile, token()), 200);
}

}  // namespace
}  // namespace keyturn::end_to_end
