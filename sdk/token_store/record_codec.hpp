// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include <keyturn/base/secret.hpp>

#include "sdk/token_store/token_book.hpp"

namespace keyturn::sdk {

/// Names a user's record without telling the user: a keyed hash of the id.
using RecordName = std::array<char, 16>;

/// What of a book is not a user, and which users' records belong to it: a record that is missing, of an
/// earlier time or of another store does not fit.
struct BookHead {
  TokenBook book;                               ///< Without users.
  std::map<RecordName, std::int64_t> manifest;  ///< Version at which each record was written.
};

// The bytes of records before they are sealed: lengths and numbers in eight bytes, little-endian, fields in a
// fixed order. A change of it is a new format of the store. What does not read to the last byte is refused;
// nothing is believed about lengths that the bytes at hand do not bear out (rule S17). Each answer is in
// guarded memory; reading gives nothing for bytes that were not written by these functions.

[[nodiscard]] Secret write_user(const StoredUser& user);
[[nodiscard]] std::optional<StoredUser> read_user(std::string_view bytes);
[[nodiscard]] Secret write_head(const BookHead& head);
[[nodiscard]] std::optional<BookHead> read_head(std::string_view bytes);
/// A whole book, for the copy of the last good store.
[[nodiscard]] Secret write_book(const TokenBook& book);
[[nodiscard]] std::optional<TokenBook> read_book(std::string_view bytes);

}  // namespace keyturn::sdk
