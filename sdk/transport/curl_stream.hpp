// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "sdk/transport/stream_transport.hpp"

namespace keyturn::sdk {

/// What the caller of a stream and its transfer share.
struct CurlStream {
  explicit CurlStream(StreamHandlers given) : handlers(std::move(given)) {}
  const StreamHandlers handlers;
  std::atomic<bool> cancelled{false};
  bool has_head = false;  ///< Of the loop's thread.

  void end(Result<void> result) const {
    if (!cancelled) handlers.on_end(std::move(result));
  }
};

}  // namespace keyturn::sdk
