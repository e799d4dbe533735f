// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/token_cell.hpp"

#include <thread>

namespace keyturn::sdk {

void TokenCell::wait_for_readers(std::uint32_t phase) const {
  for (const Line& line : lines_) {
    while (line.readers[phase].load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  }
}

void TokenCell::publish(Secret token, const TokenState& state) {
  const std::scoped_lock lock(writers_);
  const std::uint32_t old_side = side_.load(std::memory_order_relaxed);
  held_[1 - old_side] = Held{std::move(token), state};
  side_.store(1 - old_side, std::memory_order_seq_cst);
  // A reader that chose its counters before the turn may still come: first the idle set must be empty, then
  // new readers are sent there, then the set that was in use runs empty.
  const std::uint32_t old_phase = phase_.load(std::memory_order_relaxed);
  wait_for_readers(1 - old_phase);
  phase_.store(1 - old_phase, std::memory_order_seq_cst);
  wait_for_readers(old_phase);
  held_[old_side] = Held{};
}

}  // namespace keyturn::sdk
