// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/repeating_task.hpp"

#include <utility>

#include "core/base/thread_name.hpp"

namespace keyturn::server::daemon {

RepeatingTask::RepeatingTask(const char* thread_name, std::chrono::milliseconds pause,
                             std::function<void()> task)
    : thread_([this, thread_name, pause, task = std::move(task)] {
        name_thread(thread_name);
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, pause, [this] { return stopped_; })) {
          lock.unlock();
          task();
          lock.lock();
        }
      }) {}

RepeatingTask::~RepeatingTask() { stop(); }

void RepeatingTask::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace keyturn::server::daemon
