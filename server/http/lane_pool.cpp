// SPDX-License-Identifier: Apache-2.0
#include "server/http/lane_pool.hpp"

#include <algorithm>
#include <utility>

#include "core/base/thread_name.hpp"
#include "server/http/thread_order.hpp"

namespace keyturn::server::http {

LanePool::LanePool(const char* thread_name, LaneOptions options, Clock& clock)
    : options_(options), clock_(clock) {
  threads_.reserve(std::max<std::size_t>(options_.threads, 1));
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i)
    threads_.emplace_back([this, thread_name] {
      name_thread(thread_name);
      work();
    });
}

LanePool::~LanePool() { stop(); }

LanePool::Admission LanePool::submit(Job& job) {
  const BootTime deadline = clock_.boot_now() + options_.queue_deadline;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= options_.queue_bound) return Admission::lane_full;
    if (!has_place(job.share)) return Admission::share_full;
    count(job.share, 0, 1);
    queue_.push_back({std::move(job), deadline});
    waiting_.store(queue_.size(), std::memory_order_relaxed);
  }
  wake_.notify_one();
  return Admission::taken;
}

bool LanePool::has_place(const protocol::Share& share) const {
  const auto has = [](const Counts& counts, std::uint64_t key, std::size_t limit) {
    const auto found = counts.find(key);
    return limit == 0 || key == 0 || found == counts.end() || found->second.in_all < limit;
  };
  return has(apps_, share.app, options_.per_app.in_all) &&
         has(callers_, share.caller, options_.per_caller.in_all);
}

bool LanePool::may_run(const protocol::Share& share) const {
  const auto may = [](const Counts& counts, std::uint64_t key, std::size_t limit) {
    return limit == 0 || key == 0 || counts.at(key).running < limit;
  };
  return may(apps_, share.app, options_.per_app.running) &&
         may(callers_, share.caller, options_.per_caller.running);
}

void LanePool::count(const protocol::Share& share, int running, int in_all) {
  const auto add = [&](Counts& counts, std::uint64_t key) {
    if (key == 0) return;
    Count& of = counts[key];
    of.running += static_cast<std::size_t>(running);
    of.in_all += static_cast<std::size_t>(in_all);
    if (of.in_all == 0) counts.erase(key);
  };
  add(apps_, share.app);
  add(callers_, share.caller);
}

LanePool::Queue::iterator LanePool::find_runnable() {
  return std::find_if(queue_.begin(), queue_.end(),
                      [this](const Waiting& waiting) { return may_run(waiting.job.share); });
}

LanePool::Waiting LanePool::take(Queue::iterator at) {
  Waiting taken = std::move(*at);
  queue_.erase(at);
  waiting_.store(queue_.size(), std::memory_order_relaxed);
  return taken;
}

// A job's end lets at most one other begin, and its thread looks for that one, so that nobody need be woken.
void LanePool::work() {
  if (options_.nicer > 0) step_back(options_.nicer);
  std::unique_lock lock(mutex_);
  for (;;) {
    auto at = queue_.end();
    wake_.wait(lock, [&] {
      at = find_runnable();
      return stopped_ || at != queue_.end();
    });
    if (at == queue_.end()) return;
    Waiting next = take(at);
    const protocol::Share share = next.job.share;
    count(share, 1, 0);
    lock.unlock();
    if (clock_.boot_now() < next.deadline) {
      next.job.run();
    } else {
      next.job.give_up(Admission::lane_full);
    }
    next = Waiting{};
    lock.lock();
    count(share, -1, -1);
  }
}

void LanePool::expire() {
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  const BootTime now = clock_.boot_now();
  std::vector<std::pair<Waiting, Admission>> late;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && queue_.front().deadline <= now) {
      const protocol::Share share = queue_.front().job.share;
      late.emplace_back(take(queue_.begin()), may_run(share) ? Admission::lane_full : Admission::share_full);
      count(share, 0, -1);
    }
  }
  for (auto& [waiting, why] : late) waiting.job.give_up(why);
}

void LanePool::stop() {
  Queue left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(queue_);
    for (const Waiting& waiting : left) count(waiting.job.share, 0, -1);
    waiting_.store(0, std::memory_order_relaxed);
  }
  wake_.notify_all();
  for (Waiting& waiting : left) waiting.job.give_up(Admission::lane_full);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace keyturn::server::http
