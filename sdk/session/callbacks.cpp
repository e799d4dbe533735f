// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/callbacks.hpp"

#include <utility>

#include "core/base/guarded_memory.hpp"

namespace keyturn::sdk {

CallbackThread::~CallbackThread() { close(); }

void CallbackThread::run(std::function<void()> task) {
  if (!in_child_ || !in_child_()) {
    const std::scoped_lock lock(mutex_);
    if (!closed_) {
      tasks_.push_back(std::move(task));
      if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
      wake_.notify_one();
      return;
    }
  }
  task();
}

bool CallbackThread::crowded() const {
  const std::scoped_lock lock(mutex_);
  return tasks_.size() > kCrowded;
}

void CallbackThread::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void CallbackThread::work() {
  for (;;) {
    std::function<void()> task;
    {
      wipe_traces();  // answers may hold tokens
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace keyturn::sdk
