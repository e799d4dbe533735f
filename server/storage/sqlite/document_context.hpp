// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::sqlite {

/// What a document store needs besides the database: the time for `$currentDate` and new ids, and chance for
/// ids. Lifetime: the clock outlives the store.
struct DocumentContext {
  Clock& clock;
  std::function<std::string(std::size_t count)> random_bytes;
};

}  // namespace keyturn::server::sqlite
