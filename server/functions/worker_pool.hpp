// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/functions/worker_process.hpp"

namespace keyturn::server::functions {

struct PoolOptions {
  std::size_t workers_per_app = 4;  ///< For calls that clients make; as many more stay for nested calls.
  std::size_t workers_in_all = 32;
  std::size_t spares = 1;  ///< Started ahead for the next app that needs one.
  std::size_t calls_per_worker = 5'000;
  std::size_t sources_per_worker = 256;
  /// A worker that holds more after a call is not kept: the next call could want as much as it may have.
  std::size_t kept_data_bytes = std::size_t{128} * 1024 * 1024;
  std::chrono::milliseconds start_deadline{5'000};
  std::chrono::milliseconds pong_deadline{1'000};
};

/// The workers of all apps. One worker runs one call at a time and serves one app in its life.
///
/// A thread of the pool starts, checks and buries workers. Thread safety: all members.
/// Lifetime: every lease must have gone before the pool; the clock and what the command names outlive it.
class WorkerPool {
  struct Slot;

 public:
  WorkerPool(WorkerCommand command, PoolOptions options, Clock& clock);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  /// Kills every worker.
  ~WorkerPool();

  /// A worker for one call. Dropped without `keep`, the worker is killed.
  class Lease {
   public:
    Lease(WorkerPool& pool, Slot& slot) : pool_(&pool), slot_(&slot) {}
    Lease(Lease&& other) noexcept : pool_(other.pool_), slot_(other.slot_) { other.slot_ = nullptr; }
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    [[nodiscard]] WorkerProcess& worker() const;
    /// The worker may be killed by the pool once this has passed, should the caller be held up elsewhere.
    void run_until(BootTime deadline);
    /// The call ended in order: the worker is checked, then kept for the next.
    void keep();

   private:
    WorkerPool* pool_;
    Slot* slot_;
  };

  /// Waits for a worker at most until `deadline`. A nested call may have one beyond the app's number, or
  /// callers that wait for each other's workers would wait for ever.
  /// Errors: `TooManyRequests` when all stay busy, `ServiceUnavailable` when none could be started or the
  /// server stops.
  [[nodiscard]] Result<Lease> acquire(std::string_view app, bool is_nested, BootTime deadline);

  /// The server stops: what still runs at that time is ended, and no call begins after it.
  void finish_by(BootTime deadline);
  [[nodiscard]] bool has_finished() const;

  struct Figures {
    std::size_t alive = 0;
    std::size_t leased = 0;
    std::size_t idle = 0;
    std::size_t spare = 0;
    std::size_t unburied = 0;
    std::size_t started = 0;
  };
  [[nodiscard]] Figures figures() const;
  /// Process ids of the workers bound to an app, for tests and for operators.
  [[nodiscard]] std::vector<pid_t> processes(std::string_view app) const;

 private:
  using Slots = std::vector<std::unique_ptr<Slot>>;

  [[nodiscard]] Slot* find_ready(std::string_view app, bool is_nested, bool with_checking);
  [[nodiscard]] bool may_grow(std::string_view app, bool is_nested) const;
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::size_t starting_for(std::string_view app) const;
  /// Workers that have started and serve the app.
  [[nodiscard]] std::size_t bound_to(std::string_view app) const;
  enum class Check { passed, pending, failed };
  [[nodiscard]] Check check(Slot& slot, std::unique_lock<std::mutex>& lock);
  void note_broken_start(std::string fault);
  void give_back(Slot& slot, bool is_sound);
  void bury(Slot& slot);
  void wake_keeper() const;

  void keep_house();
  void start_workers(std::unique_lock<std::mutex>& lock);
  void read_idle();
  void end_surplus();
  void enforce_deadlines();
  void put_long_calls_behind();
  void reap();
  void wait_for_work(std::unique_lock<std::mutex>& lock);

  const WorkerCommand command_;
  const PoolOptions options_;
  Clock& clock_;
  const int wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Slots slots_;
  std::vector<std::unique_ptr<WorkerProcess>> dying_;
  std::size_t waiting_ = 0;  ///< Callers in `acquire`.
  std::size_t started_ = 0;
  std::size_t broken_starts_ = 0;  ///< In all.
  std::size_t broken_in_a_row_ = 0;
  std::string last_fault_;  ///< Of a start, until one comes through.
  BootTime finish_by_ = BootTime::max();
  bool is_stopping_ = false;
  bool wants_spares_ = true;
  bool is_keeper_asleep_ = false;  ///< For longer than it takes until a call is a long one.
  std::thread keeper_;
};

}  // namespace keyturn::server::functions
