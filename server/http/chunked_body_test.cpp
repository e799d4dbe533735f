// SPDX-License-Identifier: Apache-2.0
#include "server/http/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::server::http {
namespace {

using State = ChunkedBody::State;

State read(std::string_view bytes, std::string& body, std::size_t limit = 100) {
  ChunkedBody chunks(limit);
  std::size_t used = 0;
  return chunks.take(bytes, body, used);
}

State read(std::string_view bytes, std::size_t limit = 100) {
  std::string body;
  return read(bytes, body, limit);
}

TEST(ChunkedBody, JoinsChunksAndPassesOverExtensionsAndTrailers) {
  std::string body;
  EXPECT_EQ(read("3\r\nabc\r\n0000A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\nU: w\r\n\r\n", body), State::done);
  EXPECT_EQ(body, "abc0123456789");
}

TEST(ChunkedBody, TakesOneByteAtATimeAndLeavesTheNextRequest) {
  const std::string bytes = "3\r\nabc\r\n0\r\n\r\nGET";
  ChunkedBody chunks(3);
  std::string body;
  std::size_t taken = 0;
  State state = State::need_more;
  while (state == State::need_more) {
    std::size_t used = 0;
    state = chunks.take(std::string_view(bytes).substr(taken, 1), body, used);
    taken += used;
  }
  EXPECT_EQ(state, State::done);
  EXPECT_EQ(bytes.substr(taken), "GET");
}

TEST(ChunkedBody, LimitsTheSumBeforeTheDataComes) {
  EXPECT_EQ(read("63\r\n", 100), State::need_more);
  EXPECT_EQ(read("64\r\n", 100), State::need_more);
  EXPECT_EQ(read("65\r\n", 100), State::too_large);
  EXPECT_EQ(read("1\r\na\r\n64\r\n", 100), State::too_large);
  EXPECT_EQ(read("fffffffffffffff\r\n", 100), State::too_large);
}

TEST(ChunkedBody, RefusesWhatIsNotExact) {
  for (const char* bytes : {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1 \r\n", " 1\r\n", "1\n",
                            "1\r\nab", "1\r\na\n", "1\r\na\rx", "1_0\r\n", "1000000000000000\r\n",
                            "0\r\n folded\r\n", "0\r\n\n", "0\r\nA: b\nC", "1;\x01\r\n", "0\r\n\rx"}) {
    EXPECT_EQ(read(bytes), State::invalid) << bytes;
  }
  EXPECT_EQ(read("1;" + std::string(256, 'x')), State::need_more);
  EXPECT_EQ(read("1;" + std::string(257, 'x')), State::invalid);
  EXPECT_EQ(read("0\r\n" + std::string(4'096, 'x')), State::need_more);
  EXPECT_EQ(read("0\r\n" + std::string(4'097, 'x')), State::invalid);
}

}  // namespace
}  // namespace keyturn::server::http
