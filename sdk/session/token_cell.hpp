// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

#include <keyturn/base/secret.hpp>

#include "sdk/session/token_state.hpp"

namespace keyturn::sdk {

/// The access token held now with what is known of it, readable from every thread without waiting.
///
/// There are two copies of the value. Readers announce themselves in a counter of their own cache line, read
/// the copy that is in use, and leave; they take no lock, share no counter with other threads and never
/// repeat. The writer fills the other copy, turns the readers over to it, waits until those of the old copy
/// have left, and wipes that (rule S12). The order of announcing, turning and waiting is that of the
/// "left-right" technique, whose proof needs two sets of counters.
///
/// Thread safety: all members. `publish` waits for readers, each of which stays for the length of one
/// `visit`.
class TokenCell {
 public:
  TokenCell() = default;
  TokenCell(const TokenCell&) = delete;
  TokenCell& operator=(const TokenCell&) = delete;

  /// Replaces the value. An empty token means that none is held.
  void publish(Secret token, const TokenState& state);

  /// Calls `visit(std::string_view token, const TokenState&)` and gives its answer. `visit` must be short,
  /// call nothing foreign and not publish.
  template <class Visit>
  auto read(Visit&& visit) const {
    const Reading reading(*this);
    const Held& held = held_[side_.load(std::memory_order_seq_cst)];
    return std::forward<Visit>(visit)(held.token.reveal(), held.state);
  }

 private:
  static constexpr std::size_t kLines = 64;

  struct Held {
    Secret token;
    TokenState state;
  };
  struct alignas(64) Line {
    std::array<std::atomic<std::uint32_t>, 2> readers{};
  };
  class Reading {
   public:
    explicit Reading(const TokenCell& cell)
        : counter_(cell.lines_[own_line()].readers[cell.phase_.load(std::memory_order_seq_cst)]) {
      counter_.fetch_add(1, std::memory_order_seq_cst);
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { counter_.fetch_sub(1, std::memory_order_release); }

   private:
    std::atomic<std::uint32_t>& counter_;
  };

  /// Threads are dealt out over the lines in turn; two threads on one line are slower, not wrong.
  static std::size_t own_line() noexcept {
    if (own_line_plus_one_ == 0)
      own_line_plus_one_ = 1 + next_line_.fetch_add(1, std::memory_order_relaxed) % kLines;
    return own_line_plus_one_ - 1;
  }
  void wait_for_readers(std::uint32_t phase) const;

  static inline std::atomic<std::size_t> next_line_{0};
  static inline thread_local constinit std::size_t own_line_plus_one_ = 0;

  mutable std::array<Line, kLines> lines_{};
  alignas(64) std::atomic<std::uint32_t> phase_{0};  // which set of counters new readers use
  std::atomic<std::uint32_t> side_{0};               // which copy they read
  std::array<Held, 2> held_{};
  std::mutex writers_;  // a leaf; held while readers leave, never while foreign code runs
};

}  // namespace keyturn::sdk
