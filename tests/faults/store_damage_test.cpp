// SPDX-License-Identifier: Apache-2.0
// Row B-17: flipped bits and cut ends of every file of a store.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using Files = std::map<std::string, std::string>;

Files read_all(const fs::path& folder) {
  Files out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().ends_with("-shm")) continue;  // does not outlive the machine
    std::ifstream file(entry.path(), std::ios::binary);
    out[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return out;
}
void write_all(const fs::path& folder, const Files& files) {
  fs::remove_all(folder);
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::owner_all);
  for (const auto& [name, bytes] : files) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    fs::permissions(folder / name, fs::perms::owner_read | fs::perms::owner_write);
  }
}

class StoreDamage : public ::testing::Test {
 protected:
  /// Every store tells one of these words, or the name of a state other than empty.
  void judge(const std::string& what) {
    const std::string told = told_by(scratch_ / "damaged");
    ++cases_;
    if (told.front() == '[') {
      ++reported_;
      ++states_[told];
    } else {
      ASSERT_TRUE(told == "a.2" || told == "a.1") << told << " after " << what;
    }
  }
  void break_all(const Files& whole, std::size_t every_bit, std::size_t every_length) {
    for (const auto& [name, bytes] : whole) {
      for (std::size_t bit = seed() % every_bit; bit < bytes.size() * 8; bit += every_bit) {
        Files damaged = whole;
        std::string& broken = damaged[name];
        broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
        write_all(scratch_ / "damaged", damaged);
        judge("bit " + std::to_string(bit) + " of " + name);
        if (HasFatalFailure()) return;
      }
      for (std::size_t size = 0; size < bytes.size(); size += every_length) {
        Files damaged = whole;
        damaged[name].resize(size);
        write_all(scratch_ / "damaged", damaged);
        judge("cut to " + std::to_string(size) + " of " + name);
        if (HasFatalFailure()) return;
      }
    }
    std::cout << cases_ << " damaged stores: " << cases_ - reported_ << " gave the session, " << reported_
              << " said what they are, 0 said that nobody is logged in;";
    for (const auto& [state, count] : states_) std::cout << ' ' << state << ' ' << count;
    std::cout << '\n';
  }

  const Scratch scratch_;
  int cases_ = 0;
  int reported_ = 0;
  std::map<std::string, int> states_;
};

TEST_F(StoreDamage, AClosedStoreGivesTheSessionOrSaysWhyNot) {
  {
    std::unique_ptr<sdk::TokenStore> store;
    for (int step = 0; step < 3; ++step) ASSERT_TRUE(live(store, scratch_ / "store", step));
  }
  break_all(read_all(scratch_ / "store"), full_size() ? 1 : 331, full_size() ? 1 : 61);
  EXPECT_EQ(states_["[StoreCorrupt]"], 0) << "one damaged file is always made up for by another";
}

// As a crash leaves it: the last steps are in the log alone.
TEST_F(StoreDamage, AStoreThatWasNotClosedGivesTheSessionOrSaysWhyNot) {
  std::unique_ptr<sdk::TokenStore> store;
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(live(store, scratch_ / "store", step));
  break_all(read_all(scratch_ / "store"), full_size() ? 1 : 997, full_size() ? 1 : 131);
}

TEST_F(StoreDamage, WithoutTheCopyDamageIsNeverTakenForEmpty) {
  {
    std::unique_ptr<sdk::TokenStore> store;
    for (int step = 0; step < 3; ++step) ASSERT_TRUE(live(store, scratch_ / "store", step));
  }
  Files whole = read_all(scratch_ / "store");
  std::erase_if(whole, [](const auto& file) { return file.first.ends_with(".good"); });
  break_all(whole, full_size() ? 1 : 331, full_size() ? 1 : 61);
  EXPECT_GT(reported_, 0);
}

}  // namespace
}  // namespace keyturn::faults
