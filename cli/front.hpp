// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace keyturn::cli {

/// For which `keyturn token` lets a token be valid when nothing else is asked for.
inline constexpr std::chrono::seconds kUsualMinValidity{10};

/// What `keyturn token` prints, when these arguments are exactly that and the stored token may be handed out
/// as it is. Nothing in every other case, an error too: the full program then does, or tells, what is to be
/// done (docs/adr/2026-11-28-the-command-line-is-two-programs.md).
[[nodiscard]] std::optional<std::string> token_at_once(const std::vector<std::string>& arguments,
                                                       const Terminal& terminal);

}  // namespace keyturn::cli
