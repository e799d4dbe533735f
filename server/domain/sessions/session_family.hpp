// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "server/domain/types.hpp"

namespace keyturn::server {

/// Member of a session's device data: the id of the log-in that linking began from. The server sets it, never
/// the client.
inline constexpr std::string_view kLinkedFrom = "linkedFrom";

/// The id of the log-in that a session goes back to: its own but for a session that linking opened.
[[nodiscard]] inline std::string family_of(const Session& session) {
  const json::Value* root = session.device.find(kLinkedFrom);
  return root != nullptr && root->as_string() != nullptr ? *root->as_string() : session.id;
}

}  // namespace keyturn::server
