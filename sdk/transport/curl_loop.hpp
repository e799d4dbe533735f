// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include <keyturn/base/clock.hpp>

#include "sdk/transport/stream_transport.hpp"
#include "sdk/transport/transport.hpp"
#include "sdk/transport/transport_options.hpp"

namespace keyturn::sdk {

/// The I/O thread of an `App` on libcurl's multi interface: tasks, timers and transfers take turns on it.
///
/// The thread is started by the first use and libcurl, on the thread, by the first request, so that an app
/// that is never asked for the network costs neither (rows B-25, B-30). Timers are counted on the `Clock`'s
/// boot time.
///
/// Thread safety: all members; `stop` may be called by one thread only, never on the loop's own.
/// Lifetime: the clock outlives the loop. The destructor stops. In a child of fork() there is no thread:
/// tasks are destroyed unrun and requests answered with `ClientAppDeallocated`; it is not to be stopped
/// there.
class CurlLoop final : public IoLoop {
 public:
  explicit CurlLoop(Clock& clock, TransportOptions options = {});
  ~CurlLoop() override;

  void post(Task task) override;
  void schedule(std::chrono::milliseconds delay, Task task) override;
  [[nodiscard]] bool on_loop_thread() const override;
  void watch(int descriptor, Task readable) override;

  /// Ends every transfer (their callbacks are called with `ClientAppDeallocated` on the loop's thread),
  /// destroys waiting tasks unrun, and joins the thread. Within 100 ms (row B-24).
  void stop();

 private:
  friend class CurlTransport;
  class Thread;
  class Call;
  std::shared_ptr<Thread> thread_;
};

/// Sends requests, and streams of answers, on a `CurlLoop`; the sole user of libcurl.
///
/// Plain http speaks HTTP/1.1; https may use HTTP/2. Certificates are verified, always, against the
/// authorities of the loop's options or else the system's. What a proxy is told to make a tunnel has none of
/// the request's header lines. A request that a used
/// connection took without any answer is repeated on a fresh one, unless it is a POST or PATCH with a body,
/// which may have taken effect. Contract, thread safety: see `HttpTransport`. Lifetime: the loop outlives it.
class CurlTransport final : public HttpTransport, public StreamTransport {
 public:
  explicit CurlTransport(CurlLoop& loop);
  void send(HttpRequest request, Callback done) override;
  std::shared_ptr<StreamCall> stream(HttpRequest request, StreamHandlers handlers) override;

 private:
  std::shared_ptr<CurlLoop::Thread> thread_;
};

}  // namespace keyturn::sdk
