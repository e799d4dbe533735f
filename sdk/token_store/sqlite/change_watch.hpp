// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

namespace keyturn::sdk {

/// Tells when anybody closed a file that was open for writing, be it by dying. A file that is deleted and
/// made again is watched again from the next question on.
///
/// Nothing is opened before the first question. Thread safety: all members.
class ChangeWatch {
 public:
  explicit ChangeWatch(std::string file) : file_(std::move(file)) {}
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;
  ~ChangeWatch();

  /// Readable after each close, and when the file goes. -1 while the system has no such watches left or there
  /// is no such file. The number stays the same once there was one.
  [[nodiscard]] int descriptor();
  void drain();

 private:
  const std::string file_;
  std::mutex mutex_;  // a leaf
  int descriptor_ = -1;
  int watch_ = -1;  ///< Of the file within the descriptor; -1: none.
};

}  // namespace keyturn::sdk
