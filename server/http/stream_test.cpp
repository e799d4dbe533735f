// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "server/http/testing/listener_fixture.hpp"

// Bodies that are sent while they come into being.
namespace keyturn::server::http {
namespace {

using protocol::BodyStream;

/// What a test puts in comes out of the stream. Outlives it.
class Source {
 public:
  void put(std::string bytes, bool end = false) {
    std::function<void()> wake;
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_back(std::move(bytes));
      ended_ = end;
      wake = wake_;
    }
    if (wake) wake();
  }
  bool wait_until_destroyed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return destroyed_; });
  }
  void answer(protocol::Respond respond) {
    respond(
        {HttpResponse{200, {{"Content-Type", "text/event-stream"}}, ""}, std::make_unique<Stream>(*this)});
  }
  int taken = 0;
  bool endless = false;

 private:
  class Stream final : public BodyStream {
   public:
    explicit Stream(Source& source) : source_(source) {}
    ~Stream() override {
      const std::scoped_lock lock(source_.mutex_);
      source_.wake_ = nullptr;
      source_.destroyed_ = true;
      source_.changed_.notify_all();
    }
    void start(std::function<void()> wake) override {
      const std::scoped_lock lock(source_.mutex_);
      source_.wake_ = std::move(wake);
    }
    Piece take() override {
      const std::scoped_lock lock(source_.mutex_);
      ++source_.taken;
      if (source_.endless) return {std::string(65'536, 'x'), false};
      if (source_.queue_.empty()) return {"", source_.ended_};
      Piece piece{std::move(source_.queue_.front()), false};
      source_.queue_.pop_front();
      piece.ended = source_.ended_ && source_.queue_.empty();
      return piece;
    }

   private:
    Source& source_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  std::function<void()> wake_;
  bool ended_ = false;
  bool destroyed_ = false;
};

class StreamTest : public ListenerTest {
 protected:
  void TearDown() override { listener.reset(); }  // before what its streams read from
  void stream_all() {
    handler.on_request = [this](HttpRequest, protocol::Respond respond) {
      source.answer(std::move(respond));
    };
  }
  static std::string read_until(Client& client, std::string_view end) {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const std::string more = client.read_some();
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  Source source;
};

TEST_F(StreamTest, PiecesArriveAsTheyComeAndTheConnectionClosesAtTheEnd) {
  start();
  stream_all();
  Client c = client();
  c.send(get("/"));
  const std::string head = read_until(c, "\r\n\r\n");
  EXPECT_NE(head.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Content-Length"), std::string::npos);
  source.put("data: 1\n\n");
  EXPECT_EQ(read_until(c, "1\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  source.put("abc");
  EXPECT_EQ(read_until(c, "abc\r\n"), "3\r\nabc\r\n");
  source.put("z", true);
  EXPECT_EQ(c.rest(), "1\r\nz\r\n0\r\n\r\n");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(source.wait_until_destroyed());
}

TEST_F(StreamTest, AnOldClientGetsTheBareBytes) {
  start();
  stream_all();
  Client c = client();
  c.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
  EXPECT_EQ(read_until(c, "\r\n\r\n").find("Transfer-Encoding"), std::string::npos);
  source.put("abc", true);
  EXPECT_EQ(c.rest(), "abc");
}

TEST_F(StreamTest, AQuietStreamOutlivesTheDeadlinesOfAnswersAndIdleness) {
  ListenerOptions options;
  options.answer_deadline = options.idle_deadline = options.write_deadline = milliseconds(60);
  start(options);
  stream_all();
  Client c = client();
  c.send(get("/"));
  read_until(c, "\r\n\r\n");
  EXPECT_EQ(c.read_some(400), "");
  EXPECT_FALSE(c.closed());
  source.put("late");
  EXPECT_EQ(read_until(c, "late\r\n"), "4\r\nlate\r\n");
}

TEST_F(StreamTest, TheStreamGoesWhenThePeerGoes) {
  start();
  stream_all();
  {
    Client c = client();
    c.send(get("/"));
    read_until(c, "\r\n\r\n");
  }
  EXPECT_TRUE(source.wait_until_destroyed());
  source.put("nobody reads this");
}

TEST_F(StreamTest, AReaderThatTakesNothingIsCutOffAndCostsNoMemory) {
  ListenerOptions options;
  options.write_deadline = milliseconds(100);
  start(options);
  source.endless = true;
  stream_all();
  Client c = client();
  c.send(get("/"));
  EXPECT_TRUE(source.wait_until_destroyed());
  EXPECT_LT(source.taken, 400);  // no more than the two sockets hold
}

TEST_F(StreamTest, AStopEndsTheStreamInOrder) {
  start();
  stream_all();
  Client c = client();
  c.send(get("/"));
  read_until(c, "\r\n\r\n");
  const auto began = system_clock().boot_now();
  std::thread stop([this] { listener->stop(); });
  EXPECT_EQ(c.rest(), "0\r\n\r\n");
  stop.join();
  EXPECT_LT(system_clock().boot_now() - began, std::chrono::seconds(4));
  EXPECT_TRUE(source.wait_until_destroyed());
}

TEST_F(StreamTest, AnAnswerThatComesTooLateTakesItsStreamAlong) {
  ListenerOptions options;
  options.answer_deadline = milliseconds(50);
  start(options);
  protocol::Respond held;
  std::mutex mutex;
  handler.on_request = [&](HttpRequest, protocol::Respond respond) {
    const std::scoped_lock lock(mutex);
    held = std::move(respond);
  };
  Client c = client();
  c.send(get("/"));
  EXPECT_NE(c.response().find("503"), std::string::npos);
  {
    const std::scoped_lock lock(mutex);
    source.answer(std::move(held));
    held = nullptr;
  }
  EXPECT_TRUE(source.wait_until_destroyed());
}

TEST_F(StreamTest, AHeadRequestGetsNoBody) {
  start();
  stream_all();
  Client c = client();
  c.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string all = c.rest();
  EXPECT_EQ(all.substr(all.size() - 4), "\r\n\r\n");
  EXPECT_TRUE(source.wait_until_destroyed());
}

}  // namespace
}  // namespace keyturn::server::http
