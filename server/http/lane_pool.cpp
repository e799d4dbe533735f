// SPDX-License-Identifier: Apache-2.0
#include "server/http/lane_pool.hpp"

#include <algorithm>
#include <utility>

#include "server/http/thread_order.hpp"

namespace keyturn::server::http {

LanePool::LanePool(LaneOptions options, Clock& clock) : options_(options), clock_(clock) {
  threads_.reserve(std::max<std::size_t>(options_.threads, 1));
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i)
    threads_.emplace_back([this] { work(); });
}

LanePool::~LanePool() { stop(); }

bool LanePool::submit(Job& job) {
  const BootTime deadline = clock_.boot_now() + options_.queue_deadline;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= options_.queue_bound) return false;
    queue_.push_back({std::move(job), deadline});
    waiting_.store(queue_.size(), std::memory_order_relaxed);
  }
  wake_.notify_one();
  return true;
}

void LanePool::work() {
  if (options_.nicer > 0) step_back(options_.nicer);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    lock.unlock();
    if (clock_.boot_now() < next.deadline) {
      next.job.run();
    } else {
      next.job.give_up();
    }
    next = Waiting{};
    lock.lock();
  }
}

void LanePool::expire() {
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  const BootTime now = clock_.boot_now();
  std::vector<Waiting> late;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && queue_.front().deadline <= now) {
      late.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    waiting_.store(queue_.size(), std::memory_order_relaxed);
  }
  for (Waiting& waiting : late) waiting.job.give_up();
}

void LanePool::stop() {
  std::deque<Waiting> left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(queue_);
    waiting_.store(0, std::memory_order_relaxed);
  }
  wake_.notify_all();
  for (Waiting& waiting : left) waiting.job.give_up();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace keyturn::server::http
