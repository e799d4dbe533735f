// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>

namespace keyturn {

/// Whether the text has the form of an ObjectId: 24 hexadecimal digits, of either case.
[[nodiscard]] bool is_object_id(std::string_view text) noexcept;

/// A new ObjectId in lower-case hexadecimal: four bytes of seconds since 1970, then the eight bytes given.
///
/// The caller draws them from a secure generator, so that an id cannot be guessed from its neighbours.
/// Of another number of bytes the first eight count, and missing ones are zero.
[[nodiscard]] std::string make_object_id(WallTime now, std::string_view eight_random_bytes);

}  // namespace keyturn
