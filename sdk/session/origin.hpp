// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// The base URL in the one spelling that names its server: scheme and host in lower case, no port that is the
/// scheme's own, no trailing slashes. Errors: `InvalidConfiguration` when it is no plain `http:` or
/// `https:` address: another scheme ("URL missing scheme"), no host, user information, a query, a fragment,
/// white space or control characters.
[[nodiscard]] Result<std::string> check_base_url(std::string_view base_url);

/// The absolute address for a request of the user: a path is put behind the base URL's origin, an absolute
/// address must have the same scheme, host and port (rule S8). Errors: `OriginNotAllowed`.
[[nodiscard]] Result<std::string> address_at_origin(std::string_view base_url, std::string_view url);

}  // namespace keyturn::sdk
