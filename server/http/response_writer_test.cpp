// SPDX-License-Identifier: Apache-2.0
#include "server/http/response_writer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::server::http {
namespace {

const std::string kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string written(const HttpResponse& response, const ResponseForm& form = {}) {
  std::string out;
  if (!write_response(response, form, kDate, out)) out += response.body;
  return out;
}

TEST(ResponseWriter, WritesDatesAsImfFixdate) {
  EXPECT_EQ(imf_fixdate(std::chrono::sys_seconds(std::chrono::seconds(784'111'777))), kDate);
  EXPECT_EQ(imf_fixdate(std::chrono::sys_seconds(std::chrono::seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ResponseWriter, RenewsTheDateEachSecond) {
  DateHeader date;
  const WallTime start{std::chrono::seconds(784'111'777)};
  EXPECT_EQ(date.at(start), kDate);
  EXPECT_EQ(date.at(start + std::chrono::microseconds(999'999)), kDate);
  EXPECT_EQ(date.at(start + std::chrono::seconds(1)), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST(ResponseWriter, AddsLengthAndDateAndNothingElse) {
  EXPECT_EQ(written({200, {{"Content-Type", "application/json"}}, "{}"}),
            "HTTP/1.1 200 OK\r\nDate: " + kDate +
                "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(ResponseWriter, GivesNoTypeToAnEmptyBodyAndNoLengthTo204) {
  EXPECT_EQ(written({201, {{"Content-Type", "application/json"}}, ""}),
            "HTTP/1.1 201 Created\r\nDate: " + kDate + "\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written({204, {}, ""}), "HTTP/1.1 204 No Content\r\nDate: " + kDate + "\r\n\r\n");
}

TEST(ResponseWriter, KeepsTheFramingItsOwnAndLeavesOutLinesThatWouldSplit) {
  const std::string text = written({200,
                                    {{"Content-Length", "9"},
                                     {"transfer-encoding", "x"},
                                     {"Connection", "x"},
                                     {"Date", "x"},
                                     {"A", "b\r\nC: d"},
                                     {"E", "f"}},
                                    ""},
                                   {false, true, false});
  EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nDate: " + kDate +
                      "\r\nE: f\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, TellsTheLengthOfABodyThatHeadDoesNotGet) {
  const std::string text =
      written({200, {{"Content-Type", "application/json"}}, "12345"}, {true, false, false});
  EXPECT_NE(text.find("Content-Length: 5\r\n\r\n"), std::string::npos);
  EXPECT_NE(text.find("Content-Type"), std::string::npos);
  EXPECT_EQ(text.find("12345"), std::string::npos);
}

TEST(ResponseWriter, SendsLongBodiesInSmallChunksToClientsThatNeedThem) {
  const ResponseForm small{false, false, true};
  EXPECT_NE(written({200, {}, std::string(8'192, 'a')}, small).find("Content-Length: 8192"),
            std::string::npos);
  const std::string text = written({200, {}, std::string(8'193, 'a')}, small);
  EXPECT_EQ(text.find("Content-Length"), std::string::npos);
  EXPECT_NE(
      text.find("Transfer-Encoding: chunked\r\n\r\n1000\r\n" + std::string(4'096, 'a') + "\r\n1000\r\n"),
      std::string::npos);
  EXPECT_NE(text.find("\r\n1\r\na\r\n0\r\n\r\n"), std::string::npos);
}

TEST(ResponseWriter, DoesNotCopyLongBodies) {
  std::string out;
  EXPECT_TRUE(write_response({200, {}, std::string(16'384, 'a')}, {}, kDate, out));
  EXPECT_FALSE(write_response({200, {}, std::string(16'385, 'a')}, {}, kDate, out));
  EXPECT_LT(out.size(), 200U);
}

}  // namespace
}  // namespace keyturn::server::http
