// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace keyturn::server::mongodb {

/// The deadlines and bounds of the connections to one cluster. Nothing in a connection string goes before
/// them.
struct ClusterOptions {
  std::chrono::milliseconds connect{3'000};  ///< To find a server that is there, and to connect to it.
  std::chrono::milliseconds answer{10'000};  ///< For one command, and for the attempts of one transaction.
  std::chrono::milliseconds queue{1'000};    ///< For a connection, while all are in use.
  std::chrono::milliseconds rest{1'000};     ///< No call is tried so long after no server was found.
  std::uint32_t connections = 16;
};

}  // namespace keyturn::server::mongodb
