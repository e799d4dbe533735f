// SPDX-License-Identifier: Apache-2.0
// What callers do with the pool; pool_keeper.cpp is the pool's own thread.
#include "server/functions/worker_pool.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/domain/refusal.hpp"
#include "server/functions/worker_slot.hpp"

namespace keyturn::server::functions {
namespace {

// Beyond the call's own deadline, which the caller enforces: only for one that is held up elsewhere.
constexpr std::chrono::milliseconds kGraceOfCaller{50};
// A worker in order answers at once. One that spins after its call must not hold up the next caller as long
// as it may hold up nobody.
constexpr std::chrono::milliseconds kPatienceOfCaller{100};
// One start may fail by itself (the machine ended the process); when they all do, the caller hears why. A
// start that is late is not broken: the machine is busy, and the caller has time.
constexpr std::size_t kBrokenStartsOfCaller = 3;

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
  slot_->deadline = std::min(deadline + kGraceOfCaller, pool_->finish_by_);
  if (slot_->deadline < pool_->clock_.boot_now() + kKeeperLooksEvery) pool_->wake_keeper();
}

void WorkerPool::Lease::keep() {
  Slot& slot = *std::exchange(slot_, nullptr);
  pool_->give_back(slot, true);
}

Result<WorkerPool::Lease> WorkerPool::acquire(std::string_view app, bool is_nested, BootTime deadline) {
  std::unique_lock lock(mutex_);
  const std::size_t broken_before = broken_starts_;
  bool has_asked = false;
  // Set by a worker whose check is late: it is passed over, but is probably sound, and a start takes far
  // longer.
  std::optional<BootTime> asks_from;
  for (;;) {
    if (is_stopping_ || clock_.boot_now() >= finish_by_)
      return refusal(ErrorCode::ServiceUnavailable, "the server is stopping");
    if (Slot* slot = find_ready(app, is_nested, !asks_from)) {
      if (slot->app.empty()) wants_spares_ = true;
      slot->app = app;
      const Check found = check(*slot, lock);
      if (found == Check::passed) {
        slot->is_nested = is_nested;
        slot->deadline = BootTime::max();
        slot->processor_time = slot->process->processor_time();
        if (is_keeper_asleep_) wake_keeper();
        return Lease(*this, *slot);
      }
      if (found == Check::failed) bury(*slot);
      if (found == Check::pending) asks_from = clock_.boot_now() + options_.pong_deadline;
      continue;
    }
    if (broken_in_a_row_ >= kBrokenStartsOfCaller && broken_starts_ >= broken_before + kBrokenStartsOfCaller)
      return refusal(ErrorCode::ServiceUnavailable, last_fault_);
    if (starting_for(app) == 0) has_asked = false;  // what was started went to somebody else
    // What earlier callers asked for and no longer wait for will do as well.
    const bool may_ask =
        !has_asked && starting_for(app) <= waiting_ && (!asks_from || clock_.boot_now() >= *asks_from);
    if (may_ask && may_grow(app, is_nested) && make_room()) {
      has_asked = true;
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->app = app;
      slots_.back()->is_nested = is_nested;
      slots_.back()->deadline = clock_.boot_now() + options_.start_deadline;
      wake_keeper();
    }
    const auto left = deadline - clock_.boot_now();
    if (left.count() <= 0) {
      return last_fault_.empty() ? refusal(ErrorCode::TooManyRequests, "too many functions are running")
                                 : refusal(ErrorCode::ServiceUnavailable, last_fault_);
    }
    ++waiting_;
    changed_.wait_for(lock, std::min<BootTime::duration>(left, std::chrono::seconds(1)));
    --waiting_;
  }
}

/// An idle worker of the app, else one whose check is under way, else a spare; for a client's call only while
/// the app runs fewer of those than it may. A worker that is still starting is bound to nobody yet: it comes
/// as a spare.
WorkerPool::Slot* WorkerPool::find_ready(std::string_view app, bool is_nested, bool with_checking) {
  Slot* idle = nullptr;
  Slot* checking = nullptr;
  Slot* spare = nullptr;
  std::size_t running = 0;
  for (const auto& slot : slots_) {
    if (slot->state == SlotState::idle && slot->app.empty()) spare = slot.get();
    if (slot->app != app) continue;
    if (slot->state == SlotState::idle) idle = slot.get();
    if (slot->state == SlotState::checking && with_checking) checking = slot.get();
    if (slot->state == SlotState::leased && !slot->is_nested) ++running;
  }
  if (!is_nested && running >= options_.workers_per_app) return nullptr;
  return idle != nullptr ? idle : checking != nullptr ? checking : spare;
}

bool WorkerPool::may_grow(std::string_view app, bool is_nested) const {
  if (is_nested) return true;
  const auto clients = std::count_if(slots_.begin(), slots_.end(),
                                     [&](const auto& slot) { return slot->app == app && !slot->is_nested; });
  return static_cast<std::size_t>(clients) < options_.workers_per_app;
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

std::size_t WorkerPool::bound_to(std::string_view app) const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [&](const auto& slot) {
    return slot->app == app && slot->state != SlotState::wanted && slot->state != SlotState::starting;
  }));
}

/// Leases the slot, and reads the pong that is still to come. One that does not come soon is left to the
/// keeper, which knows how long to wait: a sound worker of a busy machine may be late.
WorkerPool::Check WorkerPool::check(Slot& slot, std::unique_lock<std::mutex>& lock) {
  const bool is_due = slot.state == SlotState::checking;
  slot.state = SlotState::leased;
  if (!is_due) return Check::passed;
  lock.unlock();
  WorkerMessage message;
  const auto io = slot.process->receive(message, clock_.boot_now() + kPatienceOfCaller, clock_);
  lock.lock();
  if (io == WorkerProcess::Io::done && std::holds_alternative<WorkerPong>(message)) return Check::passed;
  if (io != WorkerProcess::Io::late || clock_.boot_now() >= slot.deadline) return Check::failed;
  slot.state = SlotState::checking;
  wake_keeper();
  return Check::pending;
}

void WorkerPool::give_back(Slot& slot, bool is_sound) {
  // No lock here: the slot is still leased, so nobody else uses its process.
  ++slot.calls;
  if (is_sound) {
    is_sound = slot.calls < options_.calls_per_worker &&
               slot.process->source_count() < options_.sources_per_worker &&
               slot.process->data_bytes() <= options_.kept_data_bytes;
  }
  const BootTime now = clock_.boot_now();
  is_sound = is_sound && slot.process->send(ping_frame(), now, clock_) == WorkerProcess::Io::done;
  const std::scoped_lock lock(mutex_);
  if (is_sound && std::exchange(slot.is_behind, false)) is_sound = slot.process->step_forward();
  if (!is_sound || bound_to(slot.app) > 2 * options_.workers_per_app) {
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

void WorkerPool::finish_by(BootTime deadline) {
  {
    const std::scoped_lock lock(mutex_);
    finish_by_ = deadline;
    for (const auto& slot : slots_) {
      if (slot->state == SlotState::leased) slot->deadline = std::min(slot->deadline, deadline);
    }
  }
  changed_.notify_all();
  wake_keeper();
}

bool WorkerPool::has_finished() const {
  const std::scoped_lock lock(mutex_);
  return clock_.boot_now() >= finish_by_;
}

void WorkerPool::note_broken_start(std::string fault) {
  ++broken_starts_;
  ++broken_in_a_row_;
  last_fault_ = std::move(fault);
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
