// SPDX-License-Identifier: Apache-2.0
// Row B-34: a real core dump, registers included, of a process that logs in, refreshes and sends a request.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <keyturn/testing.hpp>

#include "sdk/token_store/key_source/device_key.hpp"
#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

// Sanitizers keep freed memory aside, and map too much for a core.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEYTURN_NO_CORES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEYTURN_NO_CORES 1
#endif
#endif

namespace keyturn::faults {
namespace {

constexpr std::size_t kSlice = 16;  // what one vector register holds
const std::string kPassword = "a password of " + crypto::hex_encode(crypto::random_bytes(12));

/// Ends the process and gives its core; empty: this machine writes none where it is looked for.
std::string core_of(Worker& worker, const fs::path& folder) {
  ::kill(worker.pid, SIGABRT);
  (void)end_of(worker);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("core")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  return {};
}

/// The first slice of the text that the core holds; empty: none.
std::string slice_in(const std::string& core, const std::string& text) {
  std::set<std::string, std::less<>> slices;
  for (std::size_t at = 0; at + kSlice <= text.size(); ++at) slices.insert(text.substr(at, kSlice));
  // Every place of the core, but only those bytes that a slice begins with are looked at closer.
  std::array<bool, 256> begins{};
  for (const std::string& slice : slices) begins[static_cast<unsigned char>(slice[0])] = true;
  for (std::size_t at = 0; at + kSlice <= core.size(); ++at) {
    if (!begins[static_cast<unsigned char>(core[at])]) continue;
    const auto found = slices.find(std::string_view(core).substr(at, kSlice));
    if (found != slices.end()) return *found + " at " + std::to_string(at);
  }
  return {};
}

/// The private number of the device's key.
std::string scalar_of(const fs::path& store, const std::string& base_url) {
  const auto keys = sdk::app_supplied_key(Secret(std::string(64, 'k')));
  const auto pem = sdk::DeviceKeyFile(store, "app", base_url, *keys).find();
  if (!pem || !*pem) return {};
  std::string text((*pem)->reveal());
  text = text.substr(text.find('\n'), text.rfind("\n-----END") - text.find('\n'));
  std::erase(text, '\n');
  return crypto::base64_decode_lenient(text).value_or("").substr(36, 32);
}

/// Those that were seen on the wire, and those that are stored.
std::set<std::string> tokens_of(const fs::path& store, testing::ScriptedServer& server) {
  std::set<std::string> out;
  for (const auto& request : server.requests()) {
    for (const auto& [name, value] : request.headers) {
      if (value.starts_with("Bearer ")) out.insert(value.substr(7));
    }
  }
  const auto opened = sdk::open_sqlite_token_store(
      {store, "app", server.base_url(), sdk::app_supplied_key(Secret(std::string(64, 'k')))});
  if (!opened) return out;
  const auto users = (*opened)->load();
  if (!users) return out;
  for (const sdk::StoredUser& user : *users) {
    out.emplace(user.access_token.reveal());
    out.emplace(user.refresh_token.reveal());
  }
  return out;
}

class StoreCore : public ::testing::TestWithParam<char> {};
INSTANTIATE_TEST_SUITE_P(AfterEachStep, StoreCore, ::testing::Values('i', 'r', 'q'),
                         [](const auto& step) { return std::string(1, step.param); });

TEST_P(StoreCore, TellsNoTokenNoPasswordAndNoKey) {
#ifdef KEYTURN_NO_CORES
  GTEST_SKIP() << "no core of a sanitized process";
#endif
  const Scratch scratch;
  fs::create_directory(scratch / "cores");
  testing::ScriptedServer server;
  server.add_user("ada@example.com", kPassword);
  Worker worker = start_worker(
      "live-bound", scratch / "store", server.base_url(),
      {"sh", "-c", "ulimit -c unlimited; cd '" + (scratch / "cores").string() + "'; exec \"$@\"", "sh"});
  ASSERT_GT(worker.pid, 0);
  ASSERT_EQ(::write(worker.to, kPassword.data(), kPassword.size()), static_cast<ssize_t>(kPassword.size()));
  for (const char step : std::string("irq")) {
    char told = 0;
    ASSERT_EQ(::read(worker.from, &told, 1), 1) << step;
    ASSERT_EQ(told, step);
    if (step == GetParam()) break;
    ASSERT_EQ(::write(worker.to, "+", 1), 1);
  }
  ::usleep(100'000);  // what ends with an exchange ends on another thread
  std::string key = scalar_of(scratch / "store", server.base_url());
  ASSERT_EQ(key.size(), 32U);
  const std::string core = core_of(worker, scratch / "cores");
  const std::set<std::string> tokens = tokens_of(scratch / "store", server);
  ASSERT_GE(tokens.size(), 2U);
  if (core.empty()) GTEST_SKIP() << "no core file here: /proc/sys/kernel/core_pattern says where they go";
  ASSERT_NE(core.find("keyturn-faults-"), std::string::npos) << "a core that tells nothing proves nothing";
  for (const std::string& token : tokens)  // the end, in which no two are alike
    EXPECT_EQ(slice_in(core, token.substr(token.size() - std::min<std::size_t>(token.size(), 44))), "");
  EXPECT_EQ(slice_in(core, kPassword.substr(14)), "") << "the password";
  EXPECT_EQ(slice_in(core, key), "") << "the device's key";
  std::reverse(key.begin(), key.end());
  EXPECT_EQ(slice_in(core, key), "") << "the device's key as OpenSSL keeps it";
  std::cout << "core of " << core.size() / 1024 << " KiB: nothing of " << tokens.size()
            << " tokens, the password and the device's key\n";
}

}  // namespace
}  // namespace keyturn::faults
