// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace keyturn::server::sqlite {

/// One step of the schema: the text of migrations/NNNN_*.sql, which sets `user_version` to `version`.
struct Migration {
  int version;
  const char* sql;
};

/// All of them, 1, 2, 3... Forward only: a released file never changes.
[[nodiscard]] std::span<const Migration> migrations() noexcept;

}  // namespace keyturn::server::sqlite
