// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// What is told of an answer whose body comes little by little. All on the loop's thread, with no lock held.
struct StreamHandlers {
  /// Status and headers; the body is empty. Once, before any bytes.
  std::function<void(const HttpResponse& head)> on_head;
  /// The next bytes of the body. False: not now; the same bytes are given again after `resume`.
  std::function<bool(std::string_view bytes)> on_bytes;
  /// The last call: the body is complete, or an error as of `HttpTransport`.
  std::function<void(Result<void>)> on_end;
};

/// An exchange under way. Thread safety: all members. Dropping it ends nothing.
class StreamCall {
 public:
  StreamCall() = default;
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;
  virtual ~StreamCall() = default;
  /// Ends the exchange soon. On the loop's thread: no handler is called after it returned.
  virtual void cancel() = 0;
  /// After `on_bytes` gave false.
  virtual void resume() = 0;
};

/// Sends requests whose answers have no end to wait for (client-api.md 14).
///
/// Contract (curl_stream_test.cpp): `on_end` is called exactly once unless the call was cancelled.
/// `request.timeout` is the limit of the head only; how long a body may be silent is for the caller to watch.
/// Nothing but the header is kept. Redirects, certificates: as `HttpTransport`.
class StreamTransport {
 public:
  StreamTransport() = default;
  StreamTransport(const StreamTransport&) = delete;
  StreamTransport& operator=(const StreamTransport&) = delete;
  virtual ~StreamTransport() = default;
  /// Thread-safe; returns at once.
  virtual std::shared_ptr<StreamCall> stream(HttpRequest request, StreamHandlers handlers) = 0;
};

}  // namespace keyturn::sdk
