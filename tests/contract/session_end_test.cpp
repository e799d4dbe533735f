// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/json/json.hpp"
#include "tests/contract/exchange_runner.hpp"

// Row B-50: once the end of a session was answered, nothing that begins later succeeds with its tokens.
namespace keyturn::contract {
namespace {

struct End {
  const char* name;
  const char* method;
  const char* path;
  const char* bearer;
  const char* scenario = "02_login_anonymous.json";
  const char* body = nullptr;
  int status = 204;
};

class SessionEnd : public ::testing::TestWithParam<End> {};

TEST_P(SessionEnd, NothingSucceedsThatBeginsAfterItsAnswer) {
  constexpr int kThreads = 3;
  ContractServer server;
  ExchangeRunner runner(server);
  runner.run_file(GetParam().scenario);

  HttpRequest use;
  use.url = substitute(std::string_view("${client}/auth/profile"), runner.names());
  use.headers = {{"Authorization", substitute(std::string_view("Bearer ${access}"), runner.names())}};
  HttpRequest refresh;
  refresh.method = "POST";
  refresh.url = substitute(std::string_view("${client}/auth/session"), runner.names());
  refresh.headers = {{"Authorization", substitute(std::string_view("Bearer ${refresh}"), runner.names())}};

  std::atomic<bool> answered{false};
  std::atomic<int> began{0};
  std::atomic<int> too_late{0};
  std::atomic<int> no_verdict{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, &request = i % 2 == 0 ? use : refresh] {
      for (int after = 0; after < 200;) {
        const bool is_after = answered.load();
        const HttpResponse answer = server.ask(request);
        began.fetch_add(1);
        if (answer.status != 401 && answer.status >= 300) no_verdict.fetch_add(1);
        if (!is_after) continue;
        ++after;
        if (answer.status < 300) too_late.fetch_add(1);
      }
    });
  }
  while (began.load() < 100) std::this_thread::yield();
  const End& end = GetParam();
  json::Object request{{"method", end.method}, {"path", end.path}, {"bearer", end.bearer}};
  if (end.body != nullptr) request.set("body", *json::parse(end.body));
  const HttpResponse answer = runner.ask(request);
  answered.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answer.status, end.status) << answer.body;
  EXPECT_EQ(too_late.load(), 0);
  EXPECT_EQ(no_verdict.load(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, SessionEnd,
    ::testing::Values(End{"LogOut", "DELETE", "${client}/auth/session", "${refresh}"},
                      End{"Deletion", "DELETE", "${client}/auth/delete", "${access}"},
                      End{"RevocationOfAll", "PUT",
                          "${admin_api}/groups/${group}/apps/${app_id}/users/${user}/logout", "${admin}"},
                      End{"Disabling", "PUT",
                          "${admin_api}/groups/${group}/apps/${app_id}/users/${user}/disable", "${admin}"},
                      End{"RevocationOfTheSessions", "DELETE",
                          "${admin_api}/groups/${group}/apps/${app_id}/users/${user}/sessions", "${admin}"},
                      End{"ANewPassword", "POST", "${client}/app/${app}/auth/providers/local-userpass/reset",
                          "${access}", "given/reset_mailed.json",
                          R"({"token":"${token}","tokenId":"${tokenId}","password":"another-keyturn"})", 200},
                      End{"DeletionByAnAdministrator", "DELETE",
                          "${admin_api}/groups/${group}/apps/${app_id}/users/${user}", "${admin}"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace keyturn::contract
