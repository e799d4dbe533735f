// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/token_cell.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace keyturn::sdk {
namespace {

std::string read(const TokenCell& cell) {
  return cell.read([](std::string_view token, const TokenState&) { return std::string(token); });
}

TEST(TokenCell, HoldsWhatWasPublishedLast) {
  TokenCell cell;
  EXPECT_EQ(read(cell), "");
  for (const char* token : {"one", "two", "", "three"}) {
    cell.publish(Secret(token), {});
    EXPECT_EQ(read(cell), token);
  }
}

TEST(TokenCell, NeverShowsAMixOfTwoTokens) {
  TokenCell cell;
  std::atomic<bool> stop{false};
  std::atomic<int> mixed{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        cell.read([&](std::string_view token, const TokenState& state) {
          const bool whole = token.empty() || (std::count(token.begin(), token.end(), token[0]) ==
                                                   static_cast<std::ptrdiff_t>(token.size()) &&
                                               state.lifetime.count() == token[0]);
          if (!whole) ++mixed;
        });
      }
    });
  }
  for (int i = 0; i < 40; ++i) {
    const char letter = static_cast<char>('a' + i % 26);
    TokenState state;
    state.lifetime = std::chrono::seconds(letter);
    cell.publish(Secret(std::string(static_cast<std::size_t>(100 + i % 400), letter)), state);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace keyturn::sdk
