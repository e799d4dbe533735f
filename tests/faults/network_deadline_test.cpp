// SPDX-License-Identifier: Apache-2.0
// Row B-24: peers that are slow, silent or gone cost each attempt its deadline and no more, an app that is
// closed meanwhile waits for nobody, and no thread stays.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>
#include <vector>

#include "tests/faults/network_namespace.hpp"
#include "tests/faults/network_rig.hpp"
#include "tests/faults/proxy.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds deadline_clock() {
  return std::chrono::duration_cast<milliseconds>(system_clock().boot_now().time_since_epoch());
}

/// How long one exchange took that is not answered; -1 when it was.
milliseconds fruitless(sdk::CurlTransport& transport, const std::string& base_url, milliseconds deadline) {
  std::promise<Result<HttpResponse>> answer;
  const milliseconds began = deadline_clock();
  transport.send({.method = "GET", .url = base_url + "/x", .timeout = deadline},
                 [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  const auto result = answer.get_future().get();
  const milliseconds took = deadline_clock() - began;
  return !result && result.error().code == ErrorCode::DeadlineExceeded ? took : milliseconds(-1);
}

/// A busy machine may be late once; what is late three times is not the machine.
void expect_kept(const std::string& what, milliseconds deadline,
                 const std::function<milliseconds()>& attempt) {
  milliseconds took{0};
  for (int tries = 0; tries < 3; ++tries) {
    took = attempt();
    ASSERT_GE(took, deadline * 95 / 100) << what;
    if (took <= deadline * 105 / 100) break;
  }
  EXPECT_LE(took, deadline * 105 / 100) << what;
  if (full_size()) std::cout << what << ": " << took.count() << " ms of " << deadline.count() << " ms\n";
}

TEST(NetworkDeadline, IsKeptWithinFivePercent) {
  testing::ScriptedServer server;
  server.set_handler([](const testing::RecordedRequest&) {
    return testing::ScriptedResponse{.headers = {{"X-Long", std::string(500, 'a')}},
                                     .body = std::string(4'000, ' ')};
  });
  const std::vector<milliseconds> deadlines =
      full_size() ? std::vector<milliseconds>{seconds(1), seconds(5), seconds(20)}
                  : std::vector{milliseconds(800)};
  const milliseconds pace = full_size() ? seconds(1) : milliseconds(50);  // of a byte
  std::vector<std::thread> threads;
  for (const milliseconds deadline : deadlines) {
    for (const auto& [what, fault] : std::vector<std::pair<std::string, Fault>>{
             {"silence", Fault{.black_hole = true}},
             {"drip of the head", Fault{.drip = pace}},
             {"an answer that comes too late", Fault{.delay = 3 * deadline}}}) {
      threads.emplace_back([&server, deadline, what = what, fault = fault] {
        FaultProxy proxy(port_of(server.base_url()));
        proxy.set(fault);
        sdk::CurlLoop loop(system_clock());
        sdk::CurlTransport transport(loop);
        expect_kept(what, deadline, [&] { return fruitless(transport, proxy.base_url(), deadline); });
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(NetworkDeadline, IsKeptWhenThePeerIsGone) {
  NetworkNamespace network;
  if (!network.why_not().empty()) GTEST_SKIP() << network.why_not();
  testing::ScriptedServer server;
  server.set_handler([](const testing::RecordedRequest&) { return testing::ScriptedResponse{.body = "{}"}; });
  const milliseconds deadline = full_size() ? seconds(20) : milliseconds(800);
  const milliseconds connecting = std::min<milliseconds>(deadline, seconds(15));  // libcurl's part of it
  sdk::CurlLoop loop(system_clock());
  sdk::CurlTransport transport(loop);
  const auto kept_connection = [&] {
    EXPECT_TRUE(network.heal());
    EXPECT_EQ(fruitless(transport, server.base_url(), seconds(30)), milliseconds(-1)) << "a good exchange";
    EXPECT_TRUE(network.lose_everything());
    return fruitless(transport, server.base_url(), deadline);
  };
  expect_kept("a half-open connection", deadline, kept_connection);
  EXPECT_TRUE(network.lose_everything());
  expect_kept("no way to connect", connecting, [&] {
    sdk::CurlLoop own_loop(system_clock());
    sdk::CurlTransport own(own_loop);
    return fruitless(own, server.base_url(), deadline);
  });
  EXPECT_TRUE(network.heal());
}

std::ptrdiff_t threads_here() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

TEST(NetworkDeadline, AnAppThatIsClosedWaitsForNobodyAndLeavesNoThread) {
  testing::ScriptedServer server;
  FaultProxy proxy(port_of(server.base_url()));
  const sdk::MemoryTokenStores stores;
  ASSERT_TRUE(stores.open()->put(ada("old"), true));
  const int rounds = full_size() ? 1'000 : 30;
  milliseconds longest{0};
  std::ptrdiff_t before = 0;
  for (int round = 0; round < rounds; ++round) {
    proxy.set(round % 2 == 0 ? Fault{.black_hole = true} : Fault{.drip = seconds(1)});
    if (round == 0) before = threads_here();
    auto device = std::make_unique<Device>(proxy.base_url(), stores.open());
    auto refresh = device->manager->refresh(device->manager->current());
    ASSERT_TRUE(comes_true([&] { return proxy.connections() == 1; }));
    const milliseconds began = deadline_clock();
    device.reset();
    longest = std::max(longest, deadline_clock() - began);
    ASSERT_TRUE(refresh.is_ready());
    ASSERT_EQ(refresh.result().error().code, ErrorCode::ClientAppDeallocated);
  }
  EXPECT_LE(longest,
            milliseconds(full_size() ? 100 : 500));  // every day on machines that do other things as well
  proxy.heal();                                      // which ends what the server still serves
  EXPECT_TRUE(comes_true([&] { return threads_here() <= before; })) << threads_here() << " of " << before;
  if (full_size()) std::cout << rounds << " rounds, the longest end took " << longest.count() << " ms\n";
}

}  // namespace
}  // namespace keyturn::faults
