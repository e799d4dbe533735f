// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

/// Wipes what may be secret of a message that is needed no more: the values of its header lines and its body
/// (row B-33).
template <class Message>
void wipe_message(Message& message) noexcept {
  for (auto& line : message.headers) wipe_memory(line.second.data(), line.second.size());
  wipe_memory(message.body.data(), message.body.size());
}

/// Sends HTTP requests.
///
/// Contract (curl_transport_test.cpp, hostile_network_test.cpp): the callback is called exactly once, on the
/// loop's thread, with no lock held; any status is a response; an error is `NetworkError` or
/// `DeadlineExceeded` (the whole exchange took longer than `request.timeout`). A POST or PATCH with a body is
/// sent once at most. Redirects are not followed (rule S8). A response is bounded: headers 64 KiB, body 20
/// MB, and 512 KiB where tokens, profiles and keys are asked for (rule S17). TLS certificates are verified
/// always. What the transport held of a message is wiped afterwards.
class HttpTransport {
 public:
  using Callback = std::function<void(Result<HttpResponse>)>;

  virtual ~HttpTransport() = default;
  /// Thread-safe; returns at once.
  virtual void send(HttpRequest request, Callback done) = 0;
};

/// The one I/O thread of an `App`, and its timers. All state machines of the SDK run on it.
///
/// Thread safety: all members. After `stop()` nothing is run any more: posted functions are destroyed unrun.
class IoLoop {
 public:
  using Task = std::function<void()>;

  virtual ~IoLoop() = default;
  /// Runs the task soon, in order of posting.
  virtual void post(Task task) = 0;
  /// Runs the task after `delay`, counted on the clock that includes sleep where the platform can.
  virtual void schedule(std::chrono::milliseconds delay, Task task) = 0;
  [[nodiscard]] virtual bool on_loop_thread() const = 0;
  /// Runs `readable` on the loop whenever `descriptor` can be read, which it is to make unreadable again. The
  /// descriptor outlives the loop's thread. Starts no thread: it is looked at once something else did. A loop
  /// without this leaves it out.
  virtual void watch([[maybe_unused]] int descriptor, [[maybe_unused]] Task readable) {}
};

}  // namespace keyturn::sdk
