// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/ports.hpp"

namespace keyturn::server::key_files {

struct NewKeys {
  SigningKeys keys;
  Secret document;  ///< The file's content.
};

/// New keys with ids that begin with the domain's first eight characters.
Result<NewKeys> make_keys(std::string_view domain_id);

/// Reads a file's content. Errors: `InvalidConfiguration`, one clear line: not JSON, a missing or wrong
/// member, another algorithm, an HMAC secret below 32 bytes, one that was typed or is a default (rule V9),
/// keys that are not different (rule V8).
Result<SigningKeys> read_keys(std::string_view document);

/// Whether 32 or more bytes cannot have come from a random generator: few different ones, or all of them
/// printable.
[[nodiscard]] bool looks_made_up(std::string_view secret) noexcept;

}  // namespace keyturn::server::key_files
