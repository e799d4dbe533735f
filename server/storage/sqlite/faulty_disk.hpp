// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <atomic>

namespace keyturn::server::sqlite {

/// Puts itself between SQLite and the file system for every file that is opened while it lives, counts writes
/// and syncs, and lets one of them, or all from one on, fail. One at a time.
class FaultyDisk {
 public:
  FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk();

  /// The call number `nth` from now (1: the next write, sync or truncation) fails with an SQLite code; with
  /// `and_all_after` every later one too.
  void fail(int nth, int code, bool and_all_after = false);
  /// Nothing fails any more; answers whether anything had failed.
  bool heal();
  /// Syncs since the last time it was asked.
  int syncs();
};

}  // namespace keyturn::server::sqlite
