// SPDX-License-Identifier: Apache-2.0
// Row B-22 on a network of its own: packets are lost by the kernel, and partitions begin and end.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/faults/network_namespace.hpp"
#include "tests/faults/network_rig.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds boot_ms() {
  return std::chrono::duration_cast<milliseconds>(system_clock().boot_now().time_since_epoch());
}

/// A device as an app has it by default: its limits of time, its pauses.
std::unique_ptr<Device> usual_device(const std::string& base_url, sdk::MemoryTokenStores& stores,
                                     sdk::BackoffPolicy backoff = {}) {
  return std::make_unique<Device>(base_url, stores.open(), seconds(60), backoff);
}

/// Asks until a refresh works, as an app does that needs a token; how long that took, nothing when it never
/// did.
std::optional<milliseconds> refresh_until_it_works(Device& device, milliseconds most) {
  const auto user = device.manager->current();
  const milliseconds began = boot_ms();
  while (boot_ms() - began < most) {
    const auto done = device.manager->refresh(user).result();
    if (done) return boot_ms() - began;
    EXPECT_EQ(done.error().remedy, Remedy::retry_later) << done.error().message;
    EXPECT_EQ(user->state, UserState::logged_in);
    std::this_thread::sleep_for(milliseconds(20));
  }
  return std::nullopt;
}

// Each refresh is the first of a process, so that its connection has to be made as well.
std::vector<milliseconds> refreshes(const std::string& base_url, int devices, int each, milliseconds most) {
  std::mutex mutex;
  std::vector<milliseconds> out;
  std::vector<std::thread> threads;
  for (int i = 0; i < devices; ++i) {
    threads.emplace_back([&] {
      const sdk::MemoryTokenStores stores;
      auto logging_in = Device(base_url, stores.open(), seconds(60));
      for (int tries = 0; tries < 100 && !logging_in.log_in(); ++tries) {
      }
      for (int round = 0; round < each; ++round) {
        Device device(base_url, stores.open(), seconds(60), sdk::BackoffPolicy{});
        const auto took = refresh_until_it_works(device, most);
        const std::scoped_lock lock(mutex);
        out.push_back(took.value_or(milliseconds::max()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::sort(out.begin(), out.end());
  return out;
}

TEST(NetworkLoss, RefreshesGetThroughWithinThirtySeconds) {
  NetworkNamespace network;
  if (!network.why_not().empty()) GTEST_SKIP() << network.why_not();
  struct Size {
    int percent;
    int devices;
    int each;
  };
  const std::vector<Size> sizes =
      full_size() ? std::vector<Size>{{1, 100, 50}, {5, 100, 50}, {20, 100, 100}, {50, 100, 4}}
                  : std::vector<Size>{{5, 10, 1}};
  for (const auto& [percent, devices, each] : sizes) {
    testing::ScriptedServer server;
    server.add_user("ada@example.com", "correct horse");
    ASSERT_TRUE(network.lose(percent));
    const auto took = refreshes(server.base_url(), devices, each, seconds(200));
    ASSERT_TRUE(network.heal());
    const auto late = std::count_if(took.begin(), took.end(), [](milliseconds t) { return t > seconds(30); });
    if (percent <= 20) {
      EXPECT_LE(late * 1'000, static_cast<std::ptrdiff_t>(took.size()));
    } else {
      EXPECT_LT(took.back(), milliseconds::max()) << "half of all packets";
    }
    std::cout << percent << " % lost: " << took.size() << " refreshes, " << late << " above 30 s, median "
              << took[took.size() / 2].count() << " ms, 99.9 % within "
              << took[took.size() - 1 - took.size() / 1'000].count() << " ms, longest " << took.back().count()
              << " ms\n";
  }
}

struct Partition {
  const char* name;
  bool (*begin)(NetworkNamespace&);
};
constexpr Partition kPartitions[] = {
    {"link down", [](NetworkNamespace& network) { return network.set_link(false); }},
    {"refused", [](NetworkNamespace& network) { return network.reject(); }},
    {"black hole", [](NetworkNamespace& network) { return network.lose_everything(); }},
};

// The longest time from the end of a partition to the first success of one of the devices.
milliseconds after_a_partition(const Partition& partition, seconds length, sdk::BackoffPolicy backoff) {
  NetworkNamespace network;
  testing::ScriptedServer server;
  server.add_user("ada@example.com", "correct horse");
  constexpr int kDevices = 8;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::unique_ptr<sdk::MemoryTokenStores>> stores;
  for (int i = 0; i < kDevices; ++i) {
    stores.push_back(std::make_unique<sdk::MemoryTokenStores>());
    devices.push_back(usual_device(server.base_url(), *stores.back(), backoff));
    EXPECT_TRUE(devices.back()->log_in());
  }
  EXPECT_TRUE(partition.begin(network));
  const milliseconds began = boot_ms();
  std::vector<milliseconds> worked(kDevices);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kDevices; ++i) {
    threads.emplace_back([&, i] {
      const auto took = refresh_until_it_works(*devices[i], length + seconds(200));
      EXPECT_TRUE(took);
      worked[i] = took ? boot_ms() : milliseconds::max();
    });
  }
  std::this_thread::sleep_for(length - (boot_ms() - began));
  EXPECT_TRUE(network.heal());
  const milliseconds healed = boot_ms();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(*std::min_element(worked.begin(), worked.end()), began + length - milliseconds(50))
      << "the partition lets something through";
  return *std::max_element(worked.begin(), worked.end()) - healed;
}

TEST(NetworkLoss, APartitionIsOverTwoSecondsAndAPauseAfterItsEnd) {
  if (const NetworkNamespace network; !network.why_not().empty()) GTEST_SKIP() << network.why_not();
  sdk::BackoffPolicy backoff;
  std::vector<seconds> lengths{seconds(1), seconds(10), seconds(60), seconds(300)};
  if (!full_size()) {
    lengths = {seconds(1)};
    backoff = {milliseconds(10), milliseconds(500), 1'000'000, seconds(600)};
  }
  std::mutex mutex;
  std::vector<std::thread> threads;  // each in a network of its own
  for (const Partition& partition : kPartitions) {
    for (const seconds length : lengths) {
      threads.emplace_back([&, length] {
        const milliseconds took = after_a_partition(partition, length, backoff);
        const std::scoped_lock lock(mutex);
        EXPECT_LE(took, seconds(2) + backoff.cap) << partition.name << " for " << length.count() << " s";
        std::cout << partition.name << " for " << length.count() << " s: the last of 8 devices worked again "
                  << took.count() << " ms after its end\n";
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace keyturn::faults
