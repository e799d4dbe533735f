// SPDX-License-Identifier: Apache-2.0
// What callers do with the pool; pool_keeper.cpp is the pool's own thread.
#include "server/functions/worker_pool.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "server/domain/refusal.hpp"
#include "server/functions/worker_slot.hpp"

namespace keyturn::server::functions {
namespace {

constexpr std::size_t kCallsBetweenMemoryChecks = 50;
// Beyond the call's own deadline, which the caller enforces: only for one that is held up elsewhere.
constexpr std::chrono::milliseconds kGraceOfCaller{50};
// A worker in order answers at once. One that spins after its call must not hold up the next caller as long
// as it may hold up nobody.
constexpr std::chrono::milliseconds kPatienceOfCaller{100};
// One start may fail by itself (the machine ended the process); when they all do, the caller hears why.
constexpr std::size_t kFailedStartsOfCaller = 3;

}  // namespace

WorkerPool::WorkerPool(WorkerCommand command, PoolOptions options, Clock& clock)
    : command_(std::move(command)),
      options_(options),
      clock_(clock),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      keeper_([this] { keep_house(); }) {}

WorkerPool::~WorkerPool() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  wake_keeper();
  keeper_.join();
  ::close(wake_);
}

WorkerPool::Lease::~Lease() {
  if (slot_ != nullptr) pool_->give_back(*slot_, false);
}

WorkerProcess& WorkerPool::Lease::worker() const { return *slot_->process; }

void WorkerPool::Lease::run_until(BootTime deadline) {
  const std::scoped_lock lock(pool_->mutex_);
  slot_->deadline = deadline + kGraceOfCaller;
  if (slot_->deadline < pool_->clock_.boot_now() + kKeeperLooksEvery) pool_->wake_keeper();
}

void WorkerPool::Lease::keep() {
  Slot& slot = *std::exchange(slot_, nullptr);
  pool_->give_back(slot, true);
}

Result<WorkerPool::Lease> WorkerPool::acquire(std::string_view app, bool is_nested, BootTime deadline) {
  std::unique_lock lock(mutex_);
  const std::size_t faults_before = failed_starts_;
  bool has_asked = false;
  for (;;) {
    if (is_stopping_) return refusal(ErrorCode::ServiceUnavailable, "the server is stopping");
    if (Slot* slot = find_ready(app, is_nested)) {
      const bool needs_check = slot->state == SlotState::checking;
      if (slot->app.empty()) wants_spares_ = true;
      slot->app = app;
      slot->state = SlotState::leased;
      slot->is_nested = is_nested;
      slot->deadline = BootTime::max();
      if (!needs_check || passes_check(*slot, lock)) return Lease(*this, *slot);
      bury(*slot);
      continue;
    }
    if (failed_starts_ >= faults_before + kFailedStartsOfCaller)
      return refusal(ErrorCode::ServiceUnavailable, last_fault_);
    if (starting_for(app) == 0) has_asked = false;  // what was started went to somebody else
    if (!has_asked && may_grow(app, is_nested) && make_room()) {
      has_asked = true;
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->app = app;
      slots_.back()->is_nested = is_nested;
      slots_.back()->deadline = clock_.boot_now() + options_.start_deadline;
      wake_keeper();
    }
    const auto left = deadline - clock_.boot_now();
    if (left.count() <= 0) return refusal(ErrorCode::TooManyRequests, "too many functions are running");
    ++waiting_;
    changed_.wait_for(lock, std::min<BootTime::duration>(left, std::chrono::seconds(1)));
    --waiting_;
  }
}

/// An idle worker of the app, else one whose check is under way, else a spare when the app may have one more.
/// A worker that is still starting is bound to nobody yet: it comes as a spare.
WorkerPool::Slot* WorkerPool::find_ready(std::string_view app, bool is_nested) {
  Slot* checking = nullptr;
  Slot* spare = nullptr;
  std::size_t bound = 0;
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::idle && slot->app == app) return slot.get();
    const bool has_started = slot->state != SlotState::wanted && slot->state != SlotState::starting;
    if (slot->app == app && !slot->is_nested && has_started) ++bound;
    if (slot->app == app && slot->state == SlotState::checking) checking = slot.get();
    if (slot->state == SlotState::idle && slot->app.empty()) spare = slot.get();
  }
  if (checking != nullptr) return checking;
  return is_nested || bound < options_.workers_per_app ? spare : nullptr;
}

bool WorkerPool::may_grow(std::string_view app, bool is_nested) const {
  if (is_nested) return true;
  const auto bound = std::count_if(slots_.begin(), slots_.end(),
                                   [&](const auto& slot) { return slot->app == app && !slot->is_nested; });
  return static_cast<std::size_t>(bound) < options_.workers_per_app;
}

/// Ends the worker that has been idle longest when all places are taken.
bool WorkerPool::make_room() {
  if (slots_.size() < options_.workers_in_all) return true;
  Slot* oldest = nullptr;
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::idle && (oldest == nullptr || slot->used < oldest->used))
      oldest = slot.get();
  }
  if (oldest == nullptr) return false;
  bury(*oldest);
  return true;
}

std::size_t WorkerPool::starting_for(std::string_view app) const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [&](const auto& slot) {
    return slot->app == app && (slot->state == SlotState::wanted || slot->state == SlotState::starting);
  }));
}

/// Reads the pong of a worker that the caller has leased already.
bool WorkerPool::passes_check(Slot& slot, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  WorkerMessage message;
  const auto patience = std::min(options_.pong_deadline, kPatienceOfCaller);
  const auto io = slot.process->receive(message, clock_.boot_now() + patience, clock_);
  lock.lock();
  return io == WorkerProcess::Io::done && std::holds_alternative<WorkerPong>(message);
}

void WorkerPool::give_back(Slot& slot, bool is_sound) {
  // No lock here: the slot is still leased, so nobody else uses its process.
  ++slot.calls;
  if (is_sound) {
    is_sound = slot.calls < options_.calls_per_worker &&
               slot.process->source_count() < options_.sources_per_worker &&
               (slot.calls % kCallsBetweenMemoryChecks != 0 ||
                slot.process->resident_bytes() <= options_.resident_limit_bytes);
  }
  const BootTime now = clock_.boot_now();
  is_sound = is_sound && slot.process->send(ping_frame(), now, clock_) == WorkerProcess::Io::done;
  const std::scoped_lock lock(mutex_);
  std::size_t others = 0;
  for (const auto& each : slots_) {
    const bool has_started = each->state != SlotState::wanted && each->state != SlotState::starting;
    if (each.get() != &slot && each->app == slot.app && !each->is_nested && has_started) ++others;
  }
  if (!is_sound || others >= options_.workers_per_app) {
    bury(slot);
    return;
  }
  slot.state = SlotState::checking;
  slot.is_nested = false;
  slot.used = now;
  slot.deadline = now + options_.pong_deadline;
  wake_keeper();
  changed_.notify_all();
}

/// Takes the slot out and its process to its end. Under the lock.
void WorkerPool::bury(Slot& slot) {
  if (slot.process != nullptr) {
    slot.process->kill();
    dying_.push_back(std::move(slot.process));
  }
  slots_.erase(
      std::find_if(slots_.begin(), slots_.end(), [&](const auto& each) { return each.get() == &slot; }));
  wants_spares_ = true;
  wake_keeper();
  changed_.notify_all();
}

void WorkerPool::wake_keeper() const { static_cast<void>(::eventfd_write(wake_, 1)); }

WorkerPool::Figures WorkerPool::figures() const {
  const std::scoped_lock lock(mutex_);
  Figures figures;
  figures.unburied = dying_.size();
  figures.started = started_;
  for (const auto& slot : slots_) {
    figures.alive += slot->process != nullptr;
    figures.leased += slot->state == SlotState::leased;
    figures.idle += slot->state == SlotState::idle && !slot->app.empty();
    figures.spare += slot->state == SlotState::idle && slot->app.empty();
  }
  return figures;
}

std::vector<pid_t> WorkerPool::processes(std::string_view app) const {
  const std::scoped_lock lock(mutex_);
  std::vector<pid_t> out;
  for (const auto& slot : slots_) {
    const bool has_started = slot->state != SlotState::wanted && slot->state != SlotState::starting;
    if (slot->app == app && has_started) out.push_back(slot->process->pid());
  }
  return out;
}

}  // namespace keyturn::server::functions
