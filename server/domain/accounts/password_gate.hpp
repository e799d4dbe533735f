// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <semaphore>

#include <keyturn/base/result.hpp>

#include "server/domain/refusal.hpp"

namespace keyturn::server {

/// Holds the number of passwords that are hashed at once to one bound, whichever lane they come from (rule
/// V15): what runs a function before it hashes is not in the password lane.
///
/// Thread safety: all members.
class PasswordGate {
 public:
  static constexpr std::ptrdiff_t kMost = 64;
  static constexpr std::chrono::seconds kLongestWait{5};

  explicit PasswordGate(std::size_t at_once)
      : places_(static_cast<std::ptrdiff_t>(at_once) < kMost ? static_cast<std::ptrdiff_t>(at_once) : kMost) {
  }

  /// Calls `work` once there is a place. Errors: `ServiceUnavailable` when none gets free in time.
  template <class Work>
  auto run(const Work& work) -> Result<decltype(work())> {
    if (!places_.try_acquire_for(kLongestWait)) {
      return refusal(ErrorCode::ServiceUnavailable, "too many passwords wait to be hashed");
    }
    const Place place{places_};
    return work();
  }

 private:
  using Places = std::counting_semaphore<kMost>;
  struct Place {
    explicit Place(Places& all) : places(all) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { places.release(); }
    Places& places;
  };
  Places places_;
};

}  // namespace keyturn::server
