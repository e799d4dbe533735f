// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/change_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace keyturn::sdk {
namespace {

/// A name that is taken away is a change of attributes first: the file lives on while somebody has it open.
constexpr std::uint32_t kFileLost = IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

}  // namespace

ChangeWatch::~ChangeWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int ChangeWatch::descriptor() {
  const std::scoped_lock lock(mutex_);
  if (descriptor_ < 0) descriptor_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (descriptor_ >= 0 && watch_ < 0)
    watch_ = ::inotify_add_watch(descriptor_, file_.c_str(), IN_CLOSE_WRITE | kFileLost);
  return watch_ < 0 ? -1 : descriptor_;
}

void ChangeWatch::drain() {
  const std::scoped_lock lock(mutex_);
  alignas(inotify_event) std::array<char, 4096> events{};
  bool lost = false;
  for (ssize_t size = 0; descriptor_ >= 0;) {
    size = ::read(descriptor_, events.data(), events.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, events.data() + at, sizeof(event));
      lost = lost || (event.wd == watch_ && (event.mask & kFileLost) != 0);
      at += sizeof(event) + event.len;
    }
  }
  if (!lost) return;
  ::inotify_rm_watch(descriptor_, watch_);
  watch_ = -1;
}

}  // namespace keyturn::sdk
