// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

namespace keyturn::sdk {

/// Tells when anybody closed a file that was open for writing, be it by dying.
///
/// Nothing is opened before the first question. Thread safety: all members.
class ChangeWatch {
 public:
  explicit ChangeWatch(std::string file) : file_(std::move(file)) {}
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;
  ~ChangeWatch();

  /// Readable after each close; -1 when the system has no such watches left.
  [[nodiscard]] int descriptor();
  void drain();

 private:
  const std::string file_;
  std::mutex mutex_;  // a leaf
  int descriptor_ = -1;
};

}  // namespace keyturn::sdk
