// SPDX-License-Identifier: Apache-2.0
// Rows B-14 and B-15: every call on the disk fails once, with every error a disk can give; and a disk that is
// full from a call on, until there is space again.
#include <gtest/gtest.h>

#include <cerrno>
#include <iostream>

#include "tests/faults/store_disk.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

/// Lives the life with one fault in step `broken`; then, without faults, the store must know what was
/// acknowledged.
void live_with_fault(const fs::path& folder, int broken, std::uint64_t nth, int code, bool full,
                     bool& happened) {
  fs::remove_all(folder);
  std::unique_ptr<sdk::TokenStore> store;
  for (int step = 0; step < broken; ++step) ASSERT_TRUE(live(store, folder, step));
  disk::watch(folder);
  disk::fail(nth, code, full);
  const auto done = live(store, folder, broken);
  happened = disk::failed();
  const std::string told = store ? told_by(*store) : "none";
  disk::leave();
  const std::string before = broken == 0 ? "none" : kLife[broken - 1];
  const std::string after = kLife[broken];
  const auto expect = [&](const std::string& said, const char* when) {
    if (done) {
      EXPECT_EQ(said, after) << when;
    } else {
      EXPECT_TRUE(said == before || said == after) << said << " " << when;
    }
  };
  // With the fault a store may be unable to say, but says so.
  if (told.front() != '[') expect(told, "while the fault lasts");
  if (store) expect(told_by(*store), "afterwards, in the same process");
  store.reset();
  expect(told_by(folder), "afterwards, opened again");
  // It works again: the next steps go well from where it stands.
  ASSERT_TRUE(live(store, folder, 0));
  if (broken == 0 || told_by(*store) == "none") {
    EXPECT_TRUE(live(store, folder, 1));
  } else if (!done) {
    EXPECT_TRUE(live(store, folder, broken)) << "repeated with the fault gone";
    EXPECT_EQ(told_by(*store), after);
  }
}

int torture(bool full, const std::vector<int>& codes) {
  const Scratch scratch;
  int cases = 0;
  for (int step = 0; step < kLifeSteps; ++step) {
    for (const int code : codes) {
      bool happened = true;
      for (std::uint64_t nth = 1; happened; ++nth) {
        SCOPED_TRACE("step " + std::to_string(step) + ", call " + std::to_string(nth) + ", errno " +
                     std::to_string(code));
        live_with_fault(scratch / "store", step, nth, code, full, happened);
        if (::testing::Test::HasFailure()) return cases;
        ++cases;
      }
    }
  }
  return cases;
}

TEST(StoreTorture, EveryCallMayFailWithEveryError) {
  const std::vector<int> few = {EIO, ENOSPC, EINTR};
  const std::vector<int> all = {ENOSPC, EIO, EDQUOT, EROFS, EMFILE, EINTR, EACCES};
  std::cout << torture(false, full_size() ? all : few) << " faults, 0 sessions lost\n";
}

TEST(StoreTorture, ADiskThatIsFullFromAnyCallOnLosesNothing) {
  std::cout << torture(true, {ENOSPC}) << " full disks, 0 sessions lost\n";
}

}  // namespace
}  // namespace keyturn::faults
