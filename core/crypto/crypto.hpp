// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn::crypto {

/// `count` bytes from the kernel's generator. Ends the program when there is no randomness: nothing weaker is
/// ever used.
[[nodiscard]] std::string random_bytes(std::size_t count);
/// The same into memory of the caller.
void fill_random(void* place, std::size_t count);

/// SHA-256 (FIPS 180-4), 32 bytes.
[[nodiscard]] std::string sha256(std::string_view data);

/// HMAC-SHA-256 (RFC 2104), 32 bytes.
[[nodiscard]] std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view data);

/// Compares in a time that depends on the sizes only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

/// Base64url without padding (RFC 4648 section 5, RFC 7515 appendix C).
[[nodiscard]] std::string base64url_encode(std::string_view data);
/// Strict: only the alphabet, no padding, no stray bits in the last character; otherwise nothing (rule V7).
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);
/// For tokens of other issuers: either alphabet, padding optional (client-api.md 7.5).
[[nodiscard]] std::optional<std::string> base64_decode_lenient(std::string_view text);
/// Base64 with padding (RFC 4648 section 4).
[[nodiscard]] std::string base64_encode(std::string_view data);

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex_encode(std::string_view data);
[[nodiscard]] std::optional<std::string> hex_decode(std::string_view text);

}  // namespace keyturn::crypto
