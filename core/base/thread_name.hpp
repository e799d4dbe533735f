// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

namespace keyturn {

/// Names the calling thread for debuggers, `top -H` and traces: 15 characters at most.
inline void name_thread(const char* name) noexcept { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace keyturn
