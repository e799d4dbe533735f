// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "server/functions/worker_pool.hpp"

namespace keyturn::server::functions {

enum class SlotState {
  wanted,    ///< No process yet.
  starting,  ///< Has not said that it is ready.
  idle,      ///< Ready; without an app it is a spare.
  checking,  ///< A call ended; it has not answered the ping yet.
  leased,
};

/// The keeper looks at every deadline at least this often, so one further away than that need not wake it.
constexpr std::chrono::milliseconds kKeeperLooksEvery{1'000};
/// A call that has calculated as long goes on behind those that have not (row B-82): many times what a short
/// one needs, and little against the time that it takes to start a worker.
constexpr std::chrono::milliseconds kLongCall{50};

/// A place for one worker, guarded by the pool's mutex; the process belongs to the lease while there is one.
struct WorkerPool::Slot {
  std::unique_ptr<WorkerProcess> process;
  std::string app;
  SlotState state = SlotState::wanted;
  bool is_nested = false;
  std::size_t calls = 0;
  BootTime deadline = BootTime::max();  ///< Of the state it is in.
  BootTime used;
  std::chrono::nanoseconds processor_time{0};  ///< Of the process when its call began.
  bool is_behind = false;                      ///< Its call is a long one.
};

}  // namespace keyturn::server::functions
