// SPDX-License-Identifier: Apache-2.0
// Row B-16: the power goes after every single call that a store's life makes, with every fate of what was not
// synced.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/faults/store_disk.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

TEST(StorePower, NoAcknowledgedStepIsLostWhereverThePowerGoes) {
  const Scratch scratch;
  disk::watch(scratch / "store");
  {
    std::unique_ptr<sdk::TokenStore> store;
    for (int step = 0; step < kLifeSteps; ++step) {
      ASSERT_TRUE(live(store, scratch / "store", step)) << step;
      disk::mark(step);
    }
  }
  const std::vector<DiskStep> steps = disk::steps();
  disk::leave();
  const std::uint32_t fates = full_size() ? 200 : 6;
  int states = 0;
  int acknowledged = -1;
  for (std::size_t count = 0; count <= steps.size(); ++count) {
    if (count != 0 && steps[count - 1].kind == DiskStep::Kind::mark) acknowledged = steps[count - 1].mark;
    for (std::uint32_t fate = 0; fate < fates; ++fate) {
      const std::uint32_t luck = fate < 2 ? fate : seed() + static_cast<std::uint32_t>(count) * 1'000 + fate;
      lose_power(steps, count, luck, scratch / "after");
      const std::string told = told_by(scratch / "after");
      const std::string then = acknowledged < 0 ? "none" : kLife[acknowledged];
      const std::string next = kLife[std::min(acknowledged + 1, kLifeSteps - 1)];
      ASSERT_TRUE(told == then || told == next)
          << told << " instead of " << then << " or " << next << ", power lost after call " << count << " of "
          << steps.size() << ", luck " << luck << ", KEYTURN_SEED=" << seed();
      ++states;
    }
  }
  std::cout << states << " states after " << steps.size() << " calls, 0 acknowledged steps lost\n";
}

}  // namespace
}  // namespace keyturn::faults
