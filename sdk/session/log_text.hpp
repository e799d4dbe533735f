// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace keyturn::sdk {

/// How a line of the log names a user. An id is a server's word: as it is only when it is short and made of
/// what ids are made of, so that it cannot look like another field of the line nor hold a token (rows B-38,
/// B-39). Of any other the digest, "sha256:" and 16 hexadecimal digits, which tells users apart as well.
[[nodiscard]] std::string logged_user(std::string_view user_id);

}  // namespace keyturn::sdk
