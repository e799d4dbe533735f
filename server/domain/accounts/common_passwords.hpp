// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace keyturn::server {

/// Whether a password is one of those that are tried first: in the lists of the most common ones, up to four
/// characters over and over, or a run such as "123456" or "fedcba" (rule V16, row B-78). ASCII letters count
/// without case.
///
/// What is kept of the lists is 32 bits of a digest of each, so one other password in 100,000 is refused,
/// too. Thread safety: any thread. The first call unpacks the lists, which takes some milliseconds.
[[nodiscard]] bool is_common_password(std::string_view password);

}  // namespace keyturn::server
