// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace keyturn::server::http {

/// Asks the kernel to run the calling thread as soon as it has something to do, in small pieces: a thread
/// that wants 100 us at a time may take the processor from one that would go on for milliseconds
/// (sched_setattr(2), Linux 6.12 and later; without effect before). Its share of the processor stays as it
/// is. A refusal is ignored.
void answer_promptly() noexcept;

/// Puts the calling thread so many steps of niceness behind the others. A refusal is ignored.
void step_back(int steps) noexcept;

}  // namespace keyturn::server::http
