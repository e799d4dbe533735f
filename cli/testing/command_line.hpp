// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/testing.hpp>

#include "cli/program.hpp"

// The program as somebody types it, against a scripted server.
namespace keyturn::cli {

class FakeTerminal final : public Terminal {
 public:
  void print(std::string_view text) override { out += std::string(text) + "\n"; }
  void print_error(std::string_view text) override { err += std::string(text) + "\n"; }
  Secret read_secret(std::string_view) override {
    if (typed.empty()) return Secret();
    Secret secret(typed.front());
    typed.pop_front();
    return secret;
  }
  std::optional<std::string> environment(const char* name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::string out;
  std::string err;
  std::deque<std::string> typed;
  std::map<std::string, std::string> variables;
};

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    terminal_.variables["KEYTURN_STORE"] = (folder_ / "store").string();
    server_.add_user("ada@example.com", "secret-password");
  }
  ~CommandLine() override { std::filesystem::remove_all(folder_); }

  int type(std::vector<std::string> arguments) {
    terminal_.out.clear();
    terminal_.err.clear();
    return run(arguments, terminal_);
  }
  void log_in() {
    terminal_.typed = {"secret-password"};
    ASSERT_EQ(type({"login", "--email", "ada@example.com", "--app", "x", "--base-url", server_.base_url()}),
              0)
        << terminal_.err;
  }
  /// The next administrator's command logs in and finds the app.
  void expect_administrator(const std::string& app = "shop-abcde") {
    server_.enqueue("POST", "/api/admin/v3.0/auth/providers/local-userpass/login",
                    {.status = 200, .body = R"({"access_token":"a","refresh_token":"r"})"});
    server_.enqueue("GET", "/api/admin/v3.0/auth/profile",
                    {.status = 200, .body = R"({"roles":[{"role_name":"OWNER","group_id":"g"}]})"});
    server_.enqueue("GET", "/api/admin/v3.0/groups/g/apps",
                    {.status = 200, .body = R"([{"_id":"1","client_app_id":")" + app + R"("}])"});
    terminal_.variables["KEYTURN_ADMIN_EMAIL"] = "admin@example.com";
    terminal_.typed = {"admin-password"};
  }

  const std::string app_path_ = "/api/admin/v3.0/groups/g/apps/1";
  std::filesystem::path folder_;
  FakeTerminal terminal_;
  keyturn::testing::ScriptedServer server_;
};

}  // namespace keyturn::cli
