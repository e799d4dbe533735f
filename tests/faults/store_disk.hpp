// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keyturn::faults {

/// A change of a file or of the folder, as the system was asked for it.
struct DiskStep {
  enum class Kind { create, write, truncate, sync, rename, unlink, sync_folder, mark };
  Kind kind = Kind::mark;
  std::string name;    ///< In the folder.
  std::string target;  ///< New name.
  std::int64_t offset = 0;
  std::string bytes;
  int mark = 0;  ///< Set by `mark`: what had been told of as done by then.
};

/// The system calls of this process on the files of one folder, SQLite's too: recorded, or made to fail. The
/// calls are interposed (store_disk.cpp), so there is one disk per program.
namespace disk {

/// Looks at that folder from now on, with nothing recorded and no fault set.
void watch(const std::filesystem::path& folder);
void leave();
void mark(int value);
[[nodiscard]] std::vector<DiskStep> steps();
/// The `nth` call from now (1 is the next one) answers with that errno, and with `from_there_on` every later
/// one that would take space.
void fail(std::uint64_t nth, int code, bool from_there_on = false);
/// Whether the fault has happened.
[[nodiscard]] bool failed();

}  // namespace disk

/// What the disk holds when the power goes after the first `count` steps. What was not synced is lost, kept
/// or torn: nothing of it with `luck` 0, all of it with 1, and otherwise as the seed says. Names are kept in
/// the order in which they were changed.
void lose_power(const std::vector<DiskStep>& steps, std::size_t count, std::uint32_t luck,
                const std::filesystem::path& into);

}  // namespace keyturn::faults
