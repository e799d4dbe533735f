// SPDX-License-Identifier: Apache-2.0
// Row B-14: every request for memory fails, one at a time, counted up until none is left; the store's steps
// within one process.
#include <gtest/gtest.h>

#include <iostream>
#include <new>

#include "tests/faults/memory_faults.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

struct Tally {
  int cases = 0;
  int errors = 0;
  int exceptions = 0;
  int unnoticed = 0;        ///< The step went well without that memory.
  std::int64_t leaked = 0;  ///< By the last case.
};

/// Lives the life with the `nth` request of step `broken` refused; false when there were fewer. The store
/// must know what was acknowledged, at once, in the same process and opened again, and go on working.
bool live_without(const fs::path& folder, int broken, std::uint64_t nth, Tally& tally) {
  fs::remove_all(folder);
  const std::int64_t before = memory::held();
  bool happened = false;
  {
    std::unique_ptr<sdk::TokenStore> store;
    for (int step = 0; step < broken; ++step) EXPECT_TRUE(live(store, folder, step));
    bool done = false;
    bool thrown = false;
    memory::fail(nth);
    try {
      done = live(store, folder, broken).has_value();
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    happened = memory::stop_failing();
    if (happened) ++(done ? tally.unnoticed : thrown ? tally.exceptions : tally.errors);
    const std::string old = broken == 0 ? "none" : kLife[broken - 1];
    const auto expect = [&](const std::string& said, const char* when) {
      EXPECT_TRUE(said == kLife[broken] || (!done && said == old)) << said << " " << when;
    };
    if (store) expect(told_by(*store), "in the same process");
    // Nothing is left locked: another process goes on at once, and may write.
    expect(told_by(folder), "opened beside it");
    if (broken != 0) {
      const auto beside = open_store(folder);
      EXPECT_TRUE(beside && (*beside)->set_current("ada")) << "the store is left locked";
    }
    for (const auto& entry : fs::directory_iterator(folder))
      EXPECT_EQ(entry.path().string().find(".damaged"), std::string::npos) << "a good store was set aside";
    if (!store) {
      EXPECT_TRUE(live(store, folder, 0)) << "opened with memory";
    }
    if (!done && broken != 0) {
      EXPECT_TRUE(live(store, folder, broken)) << "repeated with memory";
      EXPECT_EQ(told_by(*store), kLife[broken]);
    }
  }
  tally.leaked = memory::held() - before;
  return happened;
}

TEST(MemoryTorture, EveryRequestOfTheStoreMayFail) {
  const Scratch scratch;
  Tally tally;
  for (int warm = 0; warm < 2; ++warm)
    live_without(scratch / "store", kLifeSteps - 1, ~std::uint64_t{0}, tally);
  ASSERT_FALSE(HasFailure());
  for (int step = 0; step < kLifeSteps; ++step) {
    const std::uint64_t stride = full_size() ? 1 : 5;
    for (std::uint64_t nth = 1 + static_cast<std::uint64_t>(step) % stride;; nth += stride) {
      SCOPED_TRACE("step " + std::to_string(step) + ", request " + std::to_string(nth));
      if (!live_without(scratch / "store", step, nth, tally)) break;
      ASSERT_EQ(tally.leaked, 0);
      ASSERT_FALSE(HasFailure());
      ++tally.cases;
    }
  }
  EXPECT_GT(tally.errors, 0);
  EXPECT_GT(tally.exceptions, 0);
  std::cout << tally.cases << " requests refused: " << tally.errors << " errors, " << tally.exceptions
            << " times std::bad_alloc, " << tally.unnoticed << " not needed; no session lost, no leak\n";
}

}  // namespace
}  // namespace keyturn::faults
