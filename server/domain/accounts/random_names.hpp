// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include <keyturn/base/clock.hpp>

namespace keyturn::server {

/// A new ObjectId that nobody can guess.
[[nodiscard]] std::string new_object_id(WallTime now);

/// Characters of equal chance: `a` to `z`.
[[nodiscard]] std::string random_lower_letters(std::size_t count);
/// The same from `A` to `Z`, `a` to `z`, `0` to `9`.
[[nodiscard]] std::string random_letters_and_digits(std::size_t count);

}  // namespace keyturn::server
