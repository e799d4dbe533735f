// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {

void fill_random(void* place, std::size_t count) {
  auto* const bytes = static_cast<unsigned char*>(place);
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes + filled, count - filled, 0);
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (got == 0 || errno != EINTR) {
      std::abort();  // no randomness: a guessable id or key is worse than no program
    }
  }
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  fill_random(bytes.data(), count);
  return bytes;
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keyturn::crypto
