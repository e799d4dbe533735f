// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error_table.hpp"

namespace keyturn::base {

/// The table's row of a code, in constant time; that of `AppUnknownError` for a value that is no enumerator.
/// Lifetime: static. Thread safety: any thread.
[[nodiscard]] const ErrorCodeRow& row_of(ErrorCode code) noexcept;

/// The row with that wire name, by binary search; null for an unknown name.
[[nodiscard]] const ErrorCodeRow* row_named(std::string_view name) noexcept;

}  // namespace keyturn::base
