// SPDX-License-Identifier: Apache-2.0
// Row B-16: the power goes after every single call that a store's life makes, with every fate of what was not
// synced.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/faults/store_disk.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

/// The calls of a whole life.
std::vector<DiskStep> record(const fs::path& folder) {
  disk::watch(folder);
  {
    std::unique_ptr<sdk::TokenStore> store;
    for (int step = 0; step < kLifeSteps; ++step) {
      EXPECT_TRUE(live(store, folder, step)) << step;
      disk::mark(step);
    }
  }
  auto steps = disk::steps();
  disk::leave();
  return steps;
}

struct Outcome {
  int states = 0;
  int lost = 0;
  std::string first;  ///< Of the lost ones, with what replays it.
};

Outcome lose_power_everywhere(const std::vector<DiskStep>& steps, std::uint32_t fates,
                              const fs::path& after) {
  Outcome out;
  int acknowledged = -1;
  for (std::size_t count = 0; count <= steps.size(); ++count) {
    if (count != 0 && steps[count - 1].kind == DiskStep::Kind::mark) acknowledged = steps[count - 1].mark;
    for (std::uint32_t fate = 0; fate < fates; ++fate) {
      const std::uint32_t luck = fate < 2 ? fate : seed() + static_cast<std::uint32_t>(count) * 1'000 + fate;
      lose_power(steps, count, luck, after);
      const std::string told = told_by(after);
      const std::string then = acknowledged < 0 ? "none" : kLife[acknowledged];
      const std::string next = kLife[std::min(acknowledged + 1, kLifeSteps - 1)];
      ++out.states;
      if (told == then || told == next) continue;
      if (out.lost++ == 0)
        out.first = told + " instead of " + then + " or " + next + ", power lost after call " +
                    std::to_string(count) + ", luck " + std::to_string(luck) +
                    ", KEYTURN_SEED=" + std::to_string(seed());
    }
  }
  return out;
}

TEST(StorePower, NoAcknowledgedStepIsLostWhereverThePowerGoes) {
  const Scratch scratch;
  const auto steps = record(scratch / "store");
  const Outcome outcome = lose_power_everywhere(steps, full_size() ? 200 : 6, scratch / "after");
  EXPECT_EQ(outcome.lost, 0) << outcome.first;
  std::cout << outcome.states << " states after " << steps.size() << " calls, " << outcome.lost
            << " acknowledged steps lost\n";
}

// The rig itself: on a disk that ignores every order to sync, the same life loses what it was told of as
// done.
TEST(StorePower, ADiskThatNeverSyncsIsFoundOut) {
  const Scratch scratch;
  auto steps = record(scratch / "store");
  std::erase_if(steps, [](const DiskStep& step) { return step.kind == DiskStep::Kind::sync; });
  EXPECT_GT(lose_power_everywhere(steps, 3, scratch / "after").lost, 0);
}

}  // namespace
}  // namespace keyturn::faults
