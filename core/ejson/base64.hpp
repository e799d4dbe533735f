// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyturn::ejson {

/// Base64 with padding (RFC 4648 section 4). Here, because the SDK's value type needs it without any
/// cryptography.
[[nodiscard]] std::string encode_base64(std::string_view bytes);
/// Strict about alphabet, length and padding.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace keyturn::ejson
