// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/base/result.hpp>
#include <keyturn/network.hpp>

namespace keyturn::sdk {

/// How transfers leave this machine, in libcurl's words. Empty: libcurl's own choice.
struct TransportOptions {
  std::string proxy{};
  bool no_proxy = false;
  std::string ca_file{};
  std::string pinned_keys{};
};

/// The same as an app configures it. Errors: `InvalidConfiguration` for what would be found out only when the
/// server cannot be reached: a proxy of another kind, a file that is not there, a pin that is none.
[[nodiscard]] Result<TransportOptions> transport_options(const NetworkConfiguration& network);

}  // namespace keyturn::sdk
