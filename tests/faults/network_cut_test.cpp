// SPDX-License-Identifier: Apache-2.0
// Row B-03 and promises 2, 3, 13: each flow is cut at every byte of its requests and of its answers. Whatever
// was lost, the session is kept, nothing takes effect twice, and the next call finds its way.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "tests/faults/network_rig.hpp"
#include "tests/faults/proxy.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

class NetworkCut : public ::testing::TestWithParam<bool> {
 protected:
  NetworkCut() {
    server_.add_user("ada@example.com", "correct horse");
    server_.set_handler(
        [this](const testing::RecordedRequest& request) -> std::optional<testing::ScriptedResponse> {
          if (request.method != "POST" || request.path != kCallPath) return std::nullopt;
          ++calls_;
          return testing::ScriptedResponse{.body = R"({"$numberInt":"7"})"};
        });
  }

  /// Runs the flow with a cut after 0, 1, 2... bytes until it runs through, once for the way there and once
  /// for the way back. `recover` follows each cut.
  void at_every_byte(
      const std::function<void()>& flow, const std::function<void()>& recover = [] {}) {
    const std::size_t step = full_size() ? 1 : 29;
    for (const bool to_server : {true, false}) {
      std::size_t at = 0;
      for (;; at += step) {
        SCOPED_TRACE((to_server ? "request cut after " : "answer cut after ") + std::to_string(at));
        Fault fault{.reset = GetParam()};
        (to_server ? fault.cut_request : fault.cut_response) = at;
        proxy_.set(fault);
        flow();
        if (!proxy_.has_cut() || HasFailure()) break;
        recover();
        ++cuts_;
      }
      ASSERT_GE(at, step) << "a flow has more bytes than that";
    }
    RecordProperty("cuts", cuts_);
  }

  std::atomic<int> calls_{0};
  int cuts_ = 0;
  testing::ScriptedServer server_;
  FaultProxy proxy_{port_of(server_.base_url())};
  sdk::MemoryTokenStores stores_;
};

INSTANTIATE_TEST_SUITE_P(Ways, NetworkCut, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "ByReset" : "ByEnd"; });

TEST_P(NetworkCut, LosesNoRefresh) {
  Device device(proxy_.base_url(), stores_.open());
  const auto user = *device.log_in();
  at_every_byte([&] {
    const int tries = device.refresh(user);
    EXPECT_GE(tries, 1);
    EXPECT_LE(tries, 2) << "one lost answer costs one more try";
    EXPECT_EQ(user->state, UserState::logged_in);
    EXPECT_TRUE((*stores_.open()->load_user(user->id))
                    ->access_token.equals(user->cell.read(
                        [](std::string_view token, const auto&) { return std::string(token); })));
  });
}

TEST_P(NetworkCut, LeavesALogInDoneOrUndone) {
  at_every_byte([&] {
    const sdk::MemoryTokenStores stores;
    Device device(proxy_.base_url(), stores.open());
    const int before = server_.count("POST", kLogInPath);
    const auto user = device.log_in();
    EXPECT_LE(server_.count("POST", kLogInPath) - before, 1) << "a log-in was sent twice";
    EXPECT_EQ(stores.open()->load()->size(), user ? 1U : 0U);
    EXPECT_EQ(device.manager->current() != nullptr, user.has_value());
    if (!user) {
      EXPECT_EQ(user.error().remedy, Remedy::retry_later);
      EXPECT_TRUE(device.log_in());
    }
  });
}

TEST_P(NetworkCut, CallsAFunctionNeverTwice) {
  Device device(proxy_.base_url(), stores_.open());
  const auto user = *device.log_in();
  at_every_byte(
      [&] {
        const int before = calls_;
        const auto answer = device.call_function(user, R"({"name":"pay","arguments":[]})");
        EXPECT_LE(calls_ - before, 1);
        if (answer) {
          EXPECT_EQ(calls_ - before, 1);
        }
        EXPECT_TRUE(answer || proxy_.has_cut()) << answer.error().message;
        EXPECT_EQ(user->state, UserState::logged_in);
        EXPECT_TRUE(answer || answer.error().remedy == Remedy::retry_later);
      },
      [&] { EXPECT_TRUE(device.call_function(user, R"({"name":"pay","arguments":[]})")); });
}

TEST_P(NetworkCut, DelaysALogOutAndNoMore) {
  Device device(proxy_.base_url(), stores_.open());
  const auto user = *device.log_in();
  Device past(server_.base_url(), stores_.open());  // another process, whose log-ins go past the cut
  at_every_byte([&] {
    const auto again = past.log_in();
    ASSERT_TRUE(again);
    ASSERT_TRUE(past.manager->switch_to(*again));  // it has looked at the outbox by then
    ASSERT_TRUE(device.manager->log_out(user).result());
    EXPECT_EQ(user->state, UserState::logged_out);
    EXPECT_TRUE((*stores_.open()->load_user(user->id))->refresh_token.empty());
    EXPECT_TRUE(comes_true([&] { return stores_.open()->outbox()->empty(); })) << "never told to the server";
    EXPECT_TRUE(comes_true([&] { return !device.manager->finishing(); }));
  });
}

}  // namespace
}  // namespace keyturn::faults
