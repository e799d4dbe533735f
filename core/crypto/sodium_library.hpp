// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sodium.h>

#include <cstdlib>

namespace keyturn::crypto {

/// Has libsodium choose the fastest code for this processor, once. Thread safety: any.
inline void prepare_sodium() {
  static const int kStatus = sodium_init();
  if (kStatus < 0) std::abort();
}

}  // namespace keyturn::crypto
