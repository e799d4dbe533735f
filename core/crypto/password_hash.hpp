// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn::crypto {

/// Cost of Argon2id (RFC 9106). The default is OWASP's first recommendation (46 MiB, 1 pass, 1 lane; row
/// B-75).
struct PasswordCost {
  std::size_t memory_bytes = std::size_t{46} * 1024 * 1024;
  unsigned passes = 1;
};

/// The encoded hash (`$argon2id$…`) with a fresh salt. Takes tens of milliseconds and `memory_bytes`: callers
/// bound how many run at once. Ends the program when the memory cannot be had.
[[nodiscard]] std::string hash_password(std::string_view password, const PasswordCost& cost);

/// Whether the password is the one that was hashed. Takes as long as the hash's own cost says.
[[nodiscard]] bool verify_password(std::string_view password, const std::string& encoded);

/// Whether the hash was made with another cost, so that it should be made anew at the next log-in.
[[nodiscard]] bool needs_rehash(const std::string& encoded, const PasswordCost& cost);

}  // namespace keyturn::crypto
