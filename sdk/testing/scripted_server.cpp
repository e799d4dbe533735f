// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include <keyturn/testing.hpp>

#include "sdk/testing/http_socket.hpp"
#include "sdk/testing/model.hpp"

namespace keyturn::testing {

struct ScriptedStream::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string written;
  bool ended = false;
  bool is_open = false;
};

ScriptedStream::ScriptedStream() : state_(std::make_shared<State>()) {}

void ScriptedStream::write(std::string bytes) const {
  const std::scoped_lock lock(state_->mutex);
  state_->written += bytes;
  state_->changed.notify_all();
}

void ScriptedStream::write_event(std::string_view data, std::string_view name) const {
  std::string event = name.empty() ? "" : "event: " + std::string(name) + "\n";
  event += "data: ";
  for (const char c : data) {
    const bool escaped = c == '%' || c == '\n' || c == '\r';
    event += !escaped ? std::string(1, c) : c == '%' ? "%25" : c == '\n' ? "%0A" : "%0D";
  }
  write(event + "\n\n");
}

void ScriptedStream::end() const {
  const std::scoped_lock lock(state_->mutex);
  state_->ended = true;
  state_->changed.notify_all();
}

bool ScriptedStream::is_open() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->is_open;
}

class ScriptedServer::State {
 public:
  State() : acceptor_([this] { accept(); }) {}

  ~State() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      for (Served& each : served_) each.connection.shut_down();
    }
    wake_.notify_all();
    listening_.shut_down();
    acceptor_.join();
    for (Served& each : served_) each.thread.join();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Model model;
  ListeningSocket& listening() { return listening_; }

  void enqueue(std::string method, std::string path, ScriptedResponse response) {
    const std::scoped_lock lock(mutex_);
    queues_[{std::move(method), std::move(path)}].push_back(std::move(response));
  }
  void set_handler(Handler handler) {
    const std::scoped_lock lock(mutex_);
    handler_ = std::move(handler);
  }
  void set_reachable(bool reachable) {
    const std::scoped_lock lock(mutex_);
    reachable_ = reachable;
    if (reachable) return;
    for (Served& each : served_) each.connection.shut_down();
  }
  std::vector<RecordedRequest> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  struct Served {
    explicit Served(int descriptor) : connection(descriptor) {}
    Connection connection;
    std::thread thread;
    bool is_over = false;
  };

  void accept() {
    while (const auto descriptor = listening_.accept_one()) {
      const std::scoped_lock lock(mutex_);
      if (stopping_) {
        const Connection closed(*descriptor);
        return;
      }
      end_those_that_are_over();
      Served& served = served_.emplace_back(*descriptor);
      if (!reachable_) served.connection.shut_down();
      served.thread = std::thread([this, &served] {
        serve(served.connection);
        const std::scoped_lock over(mutex_);
        served.is_over = true;
      });
    }
  }

  void end_those_that_are_over() {  // under the lock, which their threads have given back for the last time
    for (auto each = served_.begin(); each != served_.end();) {
      if (!each->is_over) {
        ++each;
        continue;
      }
      each->thread.join();
      each = served_.erase(each);
    }
  }

  void serve(Connection& connection) {
    while (const auto request = connection.read_request()) {
      const ScriptedResponse response = answer(*request);
      if (response.delay.count() > 0) {
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, response.delay, [this] { return stopping_; })) break;
      }
      if (!connection.write_response(response)) break;
      if (response.stream) {
        serve_stream(connection, *response.stream->state_);
        break;
      }
    }
    connection.shut_down();
  }

  void serve_stream(Connection& connection, ScriptedStream::State& stream) {
    std::unique_lock lock(stream.mutex);
    stream.is_open = true;
    for (;;) {
      stream.changed.wait_for(lock, std::chrono::milliseconds(5),
                              [&] { return stream.ended || !stream.written.empty(); });
      const std::string bytes = std::exchange(stream.written, {});
      if (bytes.empty() && stream.ended) break;
      lock.unlock();
      const bool is_there = connection.write(bytes) && connection.is_there() && !is_stopping();
      lock.lock();
      if (!is_there) break;
    }
    stream.is_open = false;
  }
  bool is_stopping() const {
    const std::scoped_lock lock(mutex_);
    return stopping_;
  }

  ScriptedResponse answer(const RecordedRequest& request) {
    Handler handler;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
      const auto queue = queues_.find({request.method, request.path.substr(0, request.path.find('?'))});
      if (queue != queues_.end() && !queue->second.empty()) {
        ScriptedResponse response = std::move(queue->second.front());
        queue->second.pop_front();
        return response;
      }
      handler = handler_;
    }
    if (handler) {
      if (auto response = handler(request)) return std::move(*response);
    }
    return model.answer(request);
  }

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool reachable_ = true;
  Handler handler_;
  std::map<std::pair<std::string, std::string>, std::deque<ScriptedResponse>> queues_;
  std::vector<RecordedRequest> requests_;
  std::list<Served> served_;
  ListeningSocket listening_;
  std::thread acceptor_;  ///< Last: it uses all of the above.
};

ScriptedServer::ScriptedServer() : state_(std::make_shared<State>()) {}
ScriptedServer::~ScriptedServer() = default;

std::string ScriptedServer::base_url() const {
  return "http://127.0.0.1:" + std::to_string(state_->listening().port());
}
void ScriptedServer::enqueue(std::string method, std::string path, ScriptedResponse response) {
  state_->enqueue(std::move(method), std::move(path), std::move(response));
}
void ScriptedServer::set_handler(Handler handler) { state_->set_handler(std::move(handler)); }
void ScriptedServer::set_reachable(bool reachable) { state_->set_reachable(reachable); }
std::vector<RecordedRequest> ScriptedServer::requests() const { return state_->requests(); }

int ScriptedServer::count(std::string_view method, std::string_view path) const {
  int found = 0;
  for (const RecordedRequest& each : state_->requests()) {
    if (each.method == method && each.path.substr(0, each.path.find('?')) == path) ++found;
  }
  return found;
}

void ScriptedServer::add_user(std::string email, std::string password) {
  state_->model.add_user(std::move(email), std::move(password));
}
void ScriptedServer::set_access_token_lifetime(std::chrono::seconds lifetime) {
  state_->model.set_access_token_lifetime(lifetime);
}
void ScriptedServer::revoke(std::string_view user_id) { state_->model.revoke(user_id); }
int ScriptedServer::refresh_count() const { return state_->model.refresh_count(); }

}  // namespace keyturn::testing
