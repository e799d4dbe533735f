// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/change_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace keyturn::sdk {

ChangeWatch::~ChangeWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int ChangeWatch::descriptor() {
  const std::scoped_lock lock(mutex_);
  if (descriptor_ >= 0) return descriptor_;
  const int made = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (made < 0) return -1;
  if (::inotify_add_watch(made, file_.c_str(), IN_CLOSE_WRITE) < 0) {
    ::close(made);
    return -1;
  }
  descriptor_ = made;
  return made;
}

void ChangeWatch::drain() {
  const std::scoped_lock lock(mutex_);
  std::array<char, 4096> events{};
  while (descriptor_ >= 0 && ::read(descriptor_, events.data(), events.size()) > 0) {
  }
}

}  // namespace keyturn::sdk
