// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/daemon/options.hpp"

namespace keyturn::server::daemon {

/// Ends every session of every app in the data folder of a server that is not running: after a backup was put
/// back, so that what was ended since it was made stays ended (rule V28), and, with `new_keys`, after signing
/// keys may have leaked (rule V27): then each app gets new ones, and no token signed before counts any more.
/// Answers how many sessions were live. Errors: one clear line; may be called again then.
[[nodiscard]] Result<int> end_every_session(const Config& config, bool new_keys, Clock& clock);

}  // namespace keyturn::server::daemon
