// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/callbacks.hpp"

#include <utility>

#include "core/base/guarded_memory.hpp"
#include "core/base/thread_name.hpp"

namespace keyturn::sdk {

std::function<void(std::string_view)> unthrowing(std::function<void(std::string_view)> log) {
  if (!log) return log;
  return [log = std::move(log)](std::string_view line) {
    // The log is what could have told of it.
    [[maybe_unused]] const bool survived = survives([&] { log(line); });
  };
}

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
  call(task);
}

void CallbackThread::call(const std::function<void()>& task) const {
  if (!survives(task) && threw_) threw_();
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
  name_thread("keyturn-calls");
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
    call(task);
  }
}

}  // namespace keyturn::sdk
