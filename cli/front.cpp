// SPDX-License-Identifier: Apache-2.0
#include "cli/front.hpp"

#include <keyturn/stored_token.hpp>

#include "cli/settings.hpp"

namespace keyturn::cli {

std::optional<std::string> token_at_once(const std::vector<std::string>& arguments,
                                         const Terminal& terminal) {
  if (arguments.size() != 1 || arguments.front() != "token") return std::nullopt;
  const auto settings = complete({}, terminal);
  if (!settings) return std::nullopt;
  const auto token = stored_access_token(configuration_of(*settings), kUsualMinValidity);
  return token ? *token : std::nullopt;
}

}  // namespace keyturn::cli
