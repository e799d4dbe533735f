// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// What an `EventStream` tells, on the callback thread, in order. All but the first may be empty.
struct EventStreamHandlers {
  /// The data of one event. An error ends the stream with it.
  std::function<Result<void>(const std::string& data)> on_event{};
  std::function<void()> on_reconnect{};
  /// The last call.
  std::function<void(const Error&)> on_error{};
};

}  // namespace keyturn::sdk
