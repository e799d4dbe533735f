// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "server/domain/accounts/user_store.hpp"

namespace keyturn::server::memory {

/// One page of rows that are in order of id.
template <class Row>
std::vector<Row> page_of(std::vector<Row> rows, const PageRequest& page) {
  if (page.descending) std::reverse(rows.begin(), rows.end());
  std::erase_if(rows, [&](const Row& row) {
    return !page.after.empty() && (page.descending ? row.id >= page.after : row.id <= page.after);
  });
  const auto limit = static_cast<std::size_t>(std::max(page.limit, 0));
  if (rows.size() > limit) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end());
  return rows;
}

}  // namespace keyturn::server::memory
