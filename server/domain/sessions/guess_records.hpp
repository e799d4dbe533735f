// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/domain/apps/app_store.hpp"

namespace keyturn::server {

/// Wrong passwords in a row, of an account or of a device that is known to it.
struct GuessRecord {
  std::string digest;  ///< 16 bytes.
  int failures = 0;
  WallTime next{};  ///< No try before.
};

/// What `GuessLimiter` knows, kept where apps are kept, so that it outlives the process (row B-77). Best
/// effort: a fault of the store is nobody's log-in, and the limiter goes on in memory.
///
/// Thread safety: as `AppStore`; waits for it.
class GuessRecords {
 public:
  explicit GuessRecords(AppStore& store) : store_(store) {}

  struct History {
    std::string secret;  ///< The key of the digests; made by the first `load`.
    std::vector<GuessRecord> budgets;
    std::vector<std::string> devices;
  };
  Result<History> load();

  void keep(const GuessRecord& record);
  void drop(const std::string& digest);
  void keep_device(const std::string& digest);
  void drop_device(const std::string& digest);

 private:
  AppStore& store_;
};

}  // namespace keyturn::server
