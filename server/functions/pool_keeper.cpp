// SPDX-License-Identifier: Apache-2.0
// The pool's own thread: starts workers, hears of the ones nobody uses, enforces deadlines, buries the dead.
// All workers are started here, because the kernel kills them when the thread that started them ends.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "core/base/thread_name.hpp"
#include "server/functions/worker_pool.hpp"
#include "server/functions/worker_slot.hpp"

namespace keyturn::server::functions {
namespace {

constexpr std::chrono::milliseconds kReapEvery{5};

std::string fault_of(const WorkerProcess& worker) {
  const int status = worker.exit_status();
  const std::string how = WIFEXITED(status)     ? "exit status " + std::to_string(WEXITSTATUS(status))
                          : WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                : "no answer";
  return "a function worker did not start: " + how;
}

}  // namespace

void WorkerPool::keep_house() {
  name_thread("worker-keeper");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    start_workers(lock);
    read_idle();
    end_surplus();
    enforce_deadlines();
    put_long_calls_behind();
    reap();
    wait_for_work(lock);
  }
  for (auto& slot : slots_) {
    if (slot->process != nullptr) dying_.push_back(std::move(slot->process));
  }
  slots_.clear();
  auto dying = std::exchange(dying_, {});
  lock.unlock();
  for (auto& worker : dying) worker->kill();
  // The kernel frees a killed worker's memory first; half a second is ample, and init reaps what is left.
  for (int round = 0; round < 100; ++round) {
    const auto is_gone = [](const auto& worker) { return worker->try_reap(); };
    dying.erase(std::remove_if(dying.begin(), dying.end(), is_gone), dying.end());
    if (dying.empty()) break;
    ::poll(nullptr, 0, static_cast<int>(kReapEvery.count()));
  }
}

void WorkerPool::start_workers(std::unique_lock<std::mutex>& lock) {
  if (wants_spares_) {
    wants_spares_ = false;
    const auto spares = static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->app.empty(); }));
    for (std::size_t i = spares; i < options_.spares && slots_.size() < options_.workers_in_all; ++i) {
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->deadline = clock_.boot_now() + options_.start_deadline;
    }
  }
  for (;;) {
    const auto wanted = std::find_if(slots_.begin(), slots_.end(),
                                     [](const auto& slot) { return slot->state == SlotState::wanted; });
    if (wanted == slots_.end()) return;
    Slot& slot = **wanted;
    slot.state = SlotState::starting;  // nobody but this thread touches a starting slot
    lock.unlock();
    auto worker = WorkerProcess::start(command_);
    lock.lock();
    if (worker) {
      ++started_;
      slot.process = *std::move(worker);
      if (slot.app.empty()) slot.process->leave_one_processor();  // nobody waits for a spare
      continue;
    }
    note_broken_start(worker.error().message);
    const bool wanted_spares = wants_spares_;
    bury(slot);
    wants_spares_ = wanted_spares;  // no endless attempts: the next call asks again
  }
}

/// Ready after a start, pong after a call; anything else means that the worker is to go.
void WorkerPool::read_idle() {
  std::vector<Slot*> unsound;
  for (const auto& slot : slots_) {
    if (slot->process == nullptr || slot->state == SlotState::leased) continue;
    WorkerMessage message;
    const auto io = slot->process->receive_now(message);
    if (io == WorkerProcess::Io::late) continue;
    const bool is_expected =
        io == WorkerProcess::Io::done &&
        ((slot->state == SlotState::starting && std::holds_alternative<WorkerReady>(message)) ||
         (slot->state == SlotState::checking && std::holds_alternative<WorkerPong>(message)));
    if (!is_expected) {
      unsound.push_back(slot.get());
      continue;
    }
    if (slot->state == SlotState::starting) {
      // Whoever asked for it may have been served by another meanwhile, so a started worker is for everybody.
      if (!slot->app.empty()) slot->process->leave_one_processor();
      slot->app.clear();
      broken_in_a_row_ = 0;
      last_fault_.clear();
    }
    slot->state = SlotState::idle;
    slot->is_nested = false;
    slot->used = clock_.boot_now();
    slot->deadline = BootTime::max();
    changed_.notify_all();
  }
  for (Slot* slot : unsound) {
    if (slot->state == SlotState::starting) {
      if (!slot->process->try_reap()) {  // it is about to be: its status says what failed
        slot->process->kill();
        continue;
      }
      note_broken_start(fault_of(*slot->process));
      const bool is_spare = slot->app.empty();
      bury(*slot);
      if (is_spare) wants_spares_ = false;
    } else {
      bury(*slot);
    }
  }
}

/// Ends spares beyond the number wanted that no caller waits for any more.
void WorkerPool::end_surplus() {
  for (std::size_t spares = 0, at = 0; at < slots_.size();) {
    Slot& slot = *slots_[at];
    const bool is_spare = slot.state == SlotState::idle && slot.app.empty();
    if (!is_spare || ++spares <= options_.spares + waiting_) {
      ++at;
      continue;
    }
    const bool wanted_spares = wants_spares_;
    bury(slot);
    wants_spares_ = wanted_spares;
  }
}

void WorkerPool::enforce_deadlines() {
  const BootTime now = clock_.boot_now();
  std::vector<Slot*> late;
  for (const auto& slot : slots_) {
    if (slot->deadline > now || slot->process == nullptr) continue;
    if (slot->state == SlotState::leased) {
      slot->process->kill();  // the lease's holder will see the end of the socket
      slot->deadline = BootTime::max();
    } else {
      late.push_back(slot.get());
    }
  }
  for (Slot* slot : late) {
    if (slot->state == SlotState::starting) last_fault_ = "a function worker did not start in time";
    bury(*slot);
  }
}

void WorkerPool::put_long_calls_behind() {
  for (const auto& slot : slots_) {
    if (slot->state != SlotState::leased || slot->is_behind || slot->process == nullptr) continue;
    if (slot->process->processor_time() - slot->processor_time < kLongCall) continue;
    slot->process->step_back();
    slot->is_behind = true;
  }
}

void WorkerPool::reap() {
  const auto is_gone = [](const auto& worker) { return worker->try_reap(); };
  dying_.erase(std::remove_if(dying_.begin(), dying_.end(), is_gone), dying_.end());
}

void WorkerPool::wait_for_work(std::unique_lock<std::mutex>& lock) {
  std::vector<pollfd> files{{wake_, POLLIN, 0}};
  auto wait = dying_.empty() ? kKeeperLooksEvery : kReapEvery;
  const BootTime now = clock_.boot_now();
  for (const auto& slot : slots_) {
    if (slot->deadline != BootTime::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(slot->deadline - now);
      wait = std::clamp(left, std::chrono::milliseconds(0), wait);
    }
    if (slot->state == SlotState::leased && !slot->is_behind) wait = std::min(wait, kLongCall);
    if (slot->process != nullptr && slot->state != SlotState::leased) {
      files.push_back({slot->process->socket(), POLLIN, 0});
    }
  }
  is_keeper_asleep_ = wait > kLongCall;
  lock.unlock();
  ::poll(files.data(), files.size(), static_cast<int>(wait.count()));
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(wake_, &count));
  lock.lock();
  is_keeper_asleep_ = false;
}

}  // namespace keyturn::server::functions
