// SPDX-License-Identifier: Apache-2.0
// A server that is down or silent: what it costs, who waits how long, and what the app can see of it (promise
// 6).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using State = RefreshCircuit::State;

class OutageTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start() { return std::make_unique<Process>(clock, server, stores.open()); }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

// Row B-23: a thousand clients, ten minutes without a server, all callers asking every second.
TEST(Outage, CostsEachClientThirtyTriesAndTheServerNoHerd) {
  int most_tries = 0;
  std::map<std::int64_t, int> back;  // first success after the outage, by second
  for (std::uint32_t seed = 0; seed < 1'000; ++seed) {
    keyturn::testing::FakeClock clock;
    ModelServer server(clock);
    Process process(clock, server, MemoryTokenStores().open(), "boot-1", seed);
    const auto user = *process.log_in(password_of("ada"));
    clock.advance(1800s);
    int tries = 0;
    server.script = [&](const HttpRequest&) {
      ++tries;
      return HttpResponse{503, {}, ""};
    };
    for (int second = 0; second < 600; ++second) {
      (void)process.token(user);
      process.loop->advance(1s);
    }
    most_tries = std::max(most_tries, tries);
    server.script = nullptr;
    std::int64_t second = 0;
    while (!process.token(user) && second < 200) {
      process.loop->advance(1s);
      ++second;
    }
    ++back[second];
    ASSERT_EQ(user->state, UserState::logged_in);
  }
  RecordProperty("most_tries", most_tries);
  EXPECT_LE(most_tries, 30);
  EXPECT_LE(back.rbegin()->first, 61) << "within the cap of a minute";
  int peak = 0;
  for (const auto& [second, clients] : back) peak = std::max(peak, clients);
  const double mean = 1'000.0 / static_cast<double>(back.rbegin()->first + 1);
  RecordProperty("peak_per_mean_times_10", static_cast<int>(peak / mean * 10));
  EXPECT_LE(peak, 3 * mean);
}

TEST_F(OutageTest, TheCircuitOpensWaitsTriesAndCloses) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  const auto circuit = [&] { return process->manager->circuit_of(*user); };
  EXPECT_EQ(circuit().state, State::closed);
  EXPECT_EQ(circuit().failures, 0);
  clock.advance(1800s);
  server.script = [](const HttpRequest&) { return HttpResponse{503, {{"Retry-After", "100"}}, ""}; };
  EXPECT_EQ(process->token(user).error().code, ErrorCode::HTTPError);
  EXPECT_EQ(circuit().state, State::open);
  EXPECT_EQ(circuit().failures, 1);
  EXPECT_EQ(circuit().last_error, ErrorCode::HTTPError);
  EXPECT_GE(circuit().retry_in, 100s);
  EXPECT_LE(circuit().retry_in, 105s);
  EXPECT_EQ(process->token(user).error().code, ErrorCode::RefreshSuspended) << "at once, nothing is sent";
  clock.advance(circuit().retry_in - 1ms);
  EXPECT_EQ(circuit().state, State::open);
  clock.advance(1ms);
  EXPECT_EQ(circuit().state, State::half_open);
  EXPECT_EQ(circuit().retry_in, 0ms);
  (void)process->token(user);
  EXPECT_EQ(circuit().failures, 2);
  clock.advance(200s);
  server.script = nullptr;
  EXPECT_TRUE(process->token(user));
  EXPECT_EQ(circuit().state, State::closed);
}

TEST_F(OutageTest, ANewLogInClosesTheCircuit) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  server.script = [](const HttpRequest&) { return HttpResponse{503, {{"Retry-After", "3000"}}, ""}; };
  (void)process->turn(process->manager->refresh(user));
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::open);
  server.script = nullptr;
  (void)process->log_in(password_of("ada"));
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::closed);
}

// The server refuses each token that it gives: refreshes work, and still nothing gets through.
TEST_F(OutageTest, TokensThatTheServerRefusesOpenTheCircuit) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  server.script = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (!request.url.ends_with("/own")) return std::nullopt;
    return refusal(401, "InvalidSession", "invalid session");
  };
  Result<HttpResponse> last = Error();
  for (int i = 0; i < 30 && (i == 0 || last); ++i)
    last = process->turn(process->manager->request(user, {"GET", "/own"}));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::RefreshSuspended);
  EXPECT_EQ(last.error().message.find("failed"), std::string::npos) << last.error().message;
  EXPECT_NE(last.error().message.find(" s"), std::string::npos) << "the time is told";
  const RefreshCircuit circuit = process->manager->circuit_of(*user);
  EXPECT_EQ(circuit.state, State::open);
  EXPECT_GT(circuit.retry_in, 0ms);
  EXPECT_EQ(circuit.last_error, ErrorCode::InvalidSession);
  server.script = nullptr;
  process->loop->advance(circuit.retry_in);
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::half_open);
  EXPECT_TRUE(process->turn(process->manager->request(user, {"GET", "/own"})));
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::closed);
}

TEST_F(OutageTest, APauseIsToldWithItsCauseAndLoggedOnce) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  server.script = [](const HttpRequest&) { return HttpResponse{503, {{"Retry-After", "100"}}, ""}; };
  (void)process->token(user);
  const auto lines = process->log.size();
  for (int i = 0; i < 5; ++i) {
    const Error error = process->token(user).error();
    EXPECT_NE(error.message.find("HTTPError"), std::string::npos) << error.message;
    EXPECT_EQ(error.remedy, Remedy::retry_later);
  }
  ASSERT_EQ(process->log.size(), lines + 1);
  EXPECT_NE(process->log.back().find("outcome=\"suspended\" ms_left=10"), std::string::npos)
      << process->log.back();
}

// Each caller waits no longer than its own time; the refresh goes on for those who come later.
TEST_F(OutageTest, ACallerLeavesAtItsDeadlineAndTheRefreshGoesOn) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  process->transport->held = true;
  auto first = process->manager->valid_access_token(user, 0s);
  process->loop->advance(30s);
  auto second = process->manager->valid_access_token(user, 0s);
  process->loop->advance(30s - 1ms);
  EXPECT_FALSE(first.is_ready());
  process->loop->advance(1ms);
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(first.result().error().code, ErrorCode::DeadlineExceeded);
  EXPECT_FALSE(second.is_ready());
  process->transport->finish(0);
  process->loop->run();
  EXPECT_TRUE(second.result());
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::closed);
}

TEST_F(OutageTest, ARequestHasOneLimitForAllItsExchanges) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  process->transport->held = true;
  HttpRequest wanted{"GET", "/own"};
  wanted.timeout = 10s;
  auto answer = process->manager->request(user, wanted);
  process->loop->run();
  ASSERT_EQ(process->transport->exchanges.size(), 1U);
  EXPECT_EQ(process->transport->exchanges[0].request.timeout, 20s) << "a refresh has the time of an attempt";
  clock.advance(4s);
  process->transport->finish(0);
  process->loop->run();
  ASSERT_EQ(process->transport->exchanges.size(), 1U);
  EXPECT_EQ(process->transport->exchanges[0].request.timeout, 6s) << "what the refresh left of it";
  clock.advance(3s);
  process->transport->finish_with(0, refusal(401, "InvalidSession", "invalid session: access token expired"));
  process->loop->run();
  process->transport->finish(0);  // a refresh
  process->loop->run();
  ASSERT_EQ(process->transport->exchanges.size(), 1U);
  EXPECT_EQ(process->transport->exchanges[0].request.timeout, 3s);
  process->transport->finish(0);
  EXPECT_TRUE(answer.result());
}

}  // namespace
}  // namespace keyturn::sdk::testing
