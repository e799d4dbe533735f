// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/curl_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/guarded_memory.hpp"
#include "core/base/thread_name.hpp"
#include "sdk/transport/curl_transfer.hpp"

namespace keyturn::sdk {
namespace {

// A timer is counted on the boot clock and a poll is not: after a sleep of the device it is looked at again
// within a minute.
constexpr int kLongestPollMs = 60'000;

Error closed() { return {ErrorCode::ClientAppDeallocated, "the app was closed before the answer came"}; }

}  // namespace

/// What the thread and its users share; the users hold it, so that a late `post` finds it stopped instead of
/// gone.
class CurlLoop::Thread {
 public:
  Thread(Clock& clock, TransportOptions options)
      : clock_(clock), options_(std::move(options)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    if (wake_ >= 0) ::close(wake_);
  }

  void post(Task task) {
    enqueue([&] { tasks_.push_back(std::move(task)); });
  }
  void schedule(std::chrono::milliseconds delay, Task task) {
    const BootTime due = clock_.boot_now() + delay;
    enqueue([&] { timers_.emplace(due, std::move(task)); });
  }
  void watch(int descriptor, Task readable) {
    if (in_child()) return;
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    watches_.push_back({descriptor, std::move(readable)});
    if (thread_.joinable()) wake();
  }
  void send(HttpRequest request, HttpTransport::Callback done) {
    if (!in_child()) {
      const std::scoped_lock lock(mutex_);
      if (!stopping_) {
        requests_.emplace_back(std::move(request), std::move(done));
        start_or_wake();
        return;
      }
    }
    done(closed());
  }

  void stream(HttpRequest request, const std::shared_ptr<CurlStream>& stream) {
    bool stopped = in_child();
    if (!stopped) {
      const std::scoped_lock lock(mutex_);
      stopped = stopping_;
      if (!stopped) {
        timers_.emplace(clock_.boot_now() + request.timeout,
                        [this, weak = std::weak_ptr<CurlStream>(stream)] { end_without_head(weak.lock()); });
        streams_.emplace_back(std::move(request), stream);
        start_or_wake();
      }
    }
    if (stopped) stream->end(closed());
  }
  void cancel(const std::shared_ptr<CurlStream>& stream) {
    if (stream->cancelled.exchange(true)) return;
    post([this, stream] { take_running(stream); });
  }
  void resume(const std::shared_ptr<CurlStream>& stream) {
    post([this, stream] {
      for (const auto& [handle, transfer] : running_) {
        if (transfer->stream() == stream) {
          libcurl()->easy_pause(handle, CURLPAUSE_CONT);
          return;  // what was kept back has been told meanwhile, and may have changed everything
        }
      }
    });
  }

  [[nodiscard]] bool on_it() const {
    if (in_child()) return false;
    const std::scoped_lock lock(mutex_);
    return thread_.get_id() == std::this_thread::get_id();
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      wake();
    }
    if (thread_.joinable()) thread_.join();
    std::deque<Task> tasks;
    std::multimap<BootTime, Task> timers;
    std::vector<Watch> watches;
    {
      const std::scoped_lock lock(mutex_);
      tasks.swap(tasks_);
      timers.swap(timers_);
      watches.swap(watches_);
    }  // destroyed unrun, outside the lock: what they hold may be foreign
  }

 private:
  using Request = std::pair<HttpRequest, HttpTransport::Callback>;
  using Stream = std::pair<HttpRequest, std::shared_ptr<CurlStream>>;
  struct Watch {
    int descriptor;
    Task readable;
  };

  /// A child of fork() has no such thread, and perhaps a mutex that nobody will ever unlock.
  [[nodiscard]] bool in_child() const { return ::getpid() != owner_; }

  template <class Add>
  void enqueue(Add add) {
    if (in_child()) return;
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    add();
    start_or_wake();
  }

  void start_or_wake() {  // under the lock
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { run(); });
    } else {
      wake();
    }
  }

  void wake() {  // under the lock
    if (multi_ != nullptr) {
      libcurl()->multi_wakeup(multi_);
    } else {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
    }
  }

  void run() {
    name_thread("keyturn-net");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      run_due();
      lock.lock();
      const bool has_requests = !requests_.empty() || !streams_.empty();
      CURLM* multi = multi_;
      lock.unlock();
      if (has_requests && multi == nullptr) {
        multi = start_libcurl();
        lock.lock();
        multi_ = multi;
        lock.unlock();
      }
      if (has_requests) start_requests(multi);
      if (multi != nullptr) drive(multi);
      lock.lock();
      if (stopping_ || !tasks_.empty() || !requests_.empty() || !streams_.empty()) continue;
      wait(lock);
    }
    CURLM* const multi = multi_;
    lock.unlock();
    abandon(multi);
    lock.lock();
    multi_ = nullptr;  // from here on nobody wakes it
    lock.unlock();
    if (multi != nullptr) libcurl()->multi_cleanup(multi);
  }

  static CURLM* start_libcurl() {
    const Libcurl* const curl = libcurl();
    return curl == nullptr ? nullptr : curl->multi_init();
  }

  void wait(std::unique_lock<std::mutex>& lock) {
    const int timeout = until_next_timer();
    CURLM* const multi = multi_;
    const std::vector<Watch> watches = watches_;
    lock.unlock();
    wipe_traces();  // a core dump tells the registers of a thread that waits, too
    // Until libcurl is started the thread waits without it.
    const std::vector<bool> readable =
        multi != nullptr ? wait_with_libcurl(multi, watches, timeout) : wait_alone(watches, timeout);
    for (std::size_t i = 0; i < watches.size(); ++i) {
      if (readable[i]) watches[i].readable();
    }
    lock.lock();
  }

  std::vector<bool> wait_alone(const std::vector<Watch>& watches, int timeout) const {
    std::vector<pollfd> waited{{wake_, POLLIN, 0}};
    waited.reserve(1 + watches.size());
    for (const Watch& watch : watches) waited.push_back({watch.descriptor, POLLIN, 0});
    ::poll(waited.data(), waited.size(), timeout);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(wake_, &count, sizeof(count));
    std::vector<bool> out;
    out.reserve(watches.size());
    for (std::size_t i = 1; i < waited.size(); ++i) out.push_back((waited[i].revents & POLLIN) != 0);
    return out;
  }

  static std::vector<bool> wait_with_libcurl(CURLM* multi, const std::vector<Watch>& watches, int timeout) {
    std::vector<curl_waitfd> waited;
    waited.reserve(watches.size());
    for (const Watch& watch : watches) waited.push_back({watch.descriptor, CURL_WAIT_POLLIN, 0});
    libcurl()->multi_poll(multi, waited.empty() ? nullptr : waited.data(),
                          static_cast<unsigned>(waited.size()), timeout, nullptr);
    std::vector<bool> out;
    out.reserve(watches.size());
    for (const curl_waitfd& one : waited) out.push_back((one.revents & CURL_WAIT_POLLIN) != 0);
    return out;
  }

  int until_next_timer() const {  // under the lock
    if (timers_.empty()) return kLongestPollMs;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - clock_.boot_now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongestPollMs));
  }

  void run_due() {
    std::deque<Task> due;
    {
      const std::scoped_lock lock(mutex_);
      due.swap(tasks_);
      const BootTime now = clock_.boot_now();
      while (!timers_.empty() && timers_.begin()->first <= now) {
        due.push_back(std::move(timers_.begin()->second));
        timers_.erase(timers_.begin());
      }
    }
    for (Task& task : due) {
      task();
      task = nullptr;  // what it holds ends before the next begins
    }
  }

  void start_requests(CURLM* multi) {
    std::vector<Request> requests;
    std::vector<Stream> streams;
    {
      const std::scoped_lock lock(mutex_);
      requests.swap(requests_);
      streams.swap(streams_);
    }
    for (Request& request : requests)
      start(multi, std::make_unique<CurlTransfer>(std::move(request.first), std::move(request.second)));
    for (Stream& stream : streams) {
      if (stream.second->cancelled) continue;
      start(multi, std::make_unique<CurlTransfer>(std::move(stream.first), std::move(stream.second)));
    }
  }

  void start(CURLM* multi, std::unique_ptr<CurlTransfer> transfer) {
    auto prepared = transfer->prepare(options_);
    if (prepared && (multi == nullptr || libcurl()->multi_add_handle(multi, transfer->handle()) != CURLM_OK))
      prepared = Error(ErrorCode::NetworkError, "no memory for a transfer");
    if (!prepared) {
      transfer->take_callback()(prepared.error());
      return;
    }
    running_.emplace(transfer->handle(), std::move(transfer));
  }

  // The transfer of the stream, which runs no more; nothing when it has ended or not begun.
  std::unique_ptr<CurlTransfer> take_running(const std::shared_ptr<CurlStream>& stream) {
    for (auto& [handle, transfer] : running_) {
      if (transfer->stream() != stream) continue;
      libcurl()->multi_remove_handle(multi_, handle);
      auto taken = std::move(transfer);
      running_.erase(handle);
      return taken;
    }
    return nullptr;
  }

  void end_without_head(const std::shared_ptr<CurlStream>& stream) {
    if (!stream || stream->has_head) return;
    if (const auto transfer = take_running(stream))
      transfer->take_callback()(Error(ErrorCode::DeadlineExceeded, "no answer within the time limit"));
  }

  void drive(CURLM* multi) {
    int unused = 0;
    libcurl()->multi_perform(multi, &unused);
    while (const CURLMsg* message = libcurl()->multi_info_read(multi, &unused)) {
      if (message->msg == CURLMSG_DONE) finish(multi, message->easy_handle, message->data.result);
    }
  }

  void finish(CURLM* multi, CURL* handle, CURLcode code) {
    const auto at = running_.find(handle);
    const std::unique_ptr<CurlTransfer> transfer = std::move(at->second);
    running_.erase(at);
    libcurl()->multi_remove_handle(multi, handle);
    const HttpTransport::Callback done = transfer->take_callback();
    done(transfer->outcome(code));
  }

  // The end: everyone who waits is told, once.
  void abandon(CURLM* multi) {
    std::vector<Request> requests;
    std::vector<Stream> streams;
    {
      const std::scoped_lock lock(mutex_);
      requests.swap(requests_);
      streams.swap(streams_);
    }
    for (Request& request : requests) {
      wipe_message(request.first);
      request.second(closed());
    }
    for (const Stream& stream : streams) stream.second->end(closed());
    while (!running_.empty()) {
      const std::unique_ptr<CurlTransfer> transfer = std::move(running_.begin()->second);
      running_.erase(running_.begin());
      libcurl()->multi_remove_handle(multi, transfer->handle());
      transfer->take_callback()(closed());
    }
  }

  Clock& clock_;
  const TransportOptions options_;
  const pid_t owner_ = ::getpid();
  mutable std::mutex mutex_;
  const int wake_;  ///< Until libcurl is started; it has a way of its own then.
  bool stopping_ = false;
  CURLM* multi_ = nullptr;  ///< Written under the lock, so that it can be woken from any thread.
  std::thread thread_;
  std::deque<Task> tasks_;
  std::multimap<BootTime, Task> timers_;
  std::vector<Request> requests_;
  std::vector<Stream> streams_;
  std::vector<Watch> watches_;
  std::map<CURL*, std::unique_ptr<CurlTransfer>> running_;  ///< Of the thread alone.
};

/// A stream that was asked for; the thread may be gone before its caller lets go.
class CurlLoop::Call final : public StreamCall {
 public:
  Call(std::shared_ptr<Thread> thread, std::shared_ptr<CurlStream> stream)
      : thread_(std::move(thread)), stream_(std::move(stream)) {}
  void cancel() override { thread_->cancel(stream_); }
  void resume() override { thread_->resume(stream_); }

 private:
  std::shared_ptr<Thread> thread_;
  std::shared_ptr<CurlStream> stream_;
};

CurlLoop::CurlLoop(Clock& clock, TransportOptions options)
    : thread_(std::make_shared<Thread>(clock, std::move(options))) {}
CurlLoop::~CurlLoop() { stop(); }
void CurlLoop::post(Task task) { thread_->post(std::move(task)); }
void CurlLoop::schedule(std::chrono::milliseconds delay, Task task) {
  thread_->schedule(delay, std::move(task));
}
void CurlLoop::watch(int descriptor, Task readable) { thread_->watch(descriptor, std::move(readable)); }
bool CurlLoop::on_loop_thread() const { return thread_->on_it(); }
void CurlLoop::stop() { thread_->stop(); }

CurlTransport::CurlTransport(CurlLoop& loop) : thread_(loop.thread_) {}
void CurlTransport::send(HttpRequest request, Callback done) {
  thread_->send(std::move(request), std::move(done));
}

std::shared_ptr<StreamCall> CurlTransport::stream(HttpRequest request, StreamHandlers handlers) {
  auto stream = std::make_shared<CurlStream>(std::move(handlers));
  thread_->stream(std::move(request), stream);
  return std::make_shared<CurlLoop::Call>(thread_, std::move(stream));
}

}  // namespace keyturn::sdk
