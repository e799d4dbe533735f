// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyturn::protocol {

/// The parts of an http or https address that say which server and which resource.
struct HttpUri {
  std::string origin;  ///< "https://auth.example.com", with its port unless that is the scheme's own.
  std::string path;    ///< At least "/".
};

/// The address in its normal form (RFC 3986 sections 6.2.2 and 6.2.3), without query and fragment: two
/// spellings of one address give the same. Nothing for anything that is no absolute http or https address, or
/// that has user information.
[[nodiscard]] std::optional<HttpUri> normal_http_uri(std::string_view uri);

/// The path part of that.
[[nodiscard]] std::string normal_path(std::string_view path);

}  // namespace keyturn::protocol
