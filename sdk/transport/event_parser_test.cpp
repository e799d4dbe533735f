// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/event_parser.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace keyturn::sdk {
namespace {

using Seen = std::vector<std::pair<std::string, std::string>>;

Seen parse(const std::vector<std::string_view>& pieces) {
  EventParser parser;
  Seen seen;
  for (const std::string_view piece : pieces) {
    EXPECT_TRUE(parser.feed(
        piece, [&](ServerEvent event) { seen.emplace_back(std::move(event.name), std::move(event.data)); }));
  }
  return seen;
}

TEST(EventParser, TellsAnEventWhenItsEmptyLineCame) {
  EXPECT_EQ(parse({"data: {\"a\":1}\n"}), Seen{});
  EXPECT_EQ(parse({"data: {\"a\":1}\n\n"}), (Seen{{"", "{\"a\":1}"}}));
  EXPECT_EQ(parse({"data:x\n\ndata: y\n\n"}), (Seen{{"", "x"}, {"", "y"}}));
  EXPECT_EQ(parse({"event: error\ndata: e\n\ndata: m\n\n"}), (Seen{{"error", "e"}, {"", "m"}}))
      << "the name is of one event only";
}

TEST(EventParser, DoesNotCareWhereTheBytesAreSplit) {
  const std::string text =
      ": hello\r\nevent: message\r\ndata: one\r\ndata:two%0A%250A\r\n\r\nid: 7\ndata\n\nretry: 1\n\n";
  const Seen whole = parse({text});
  EXPECT_EQ(whole, (Seen{{"message", "one\ntwo\n%0A"}, {"", ""}}));
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      const std::string_view view = text;
      ASSERT_EQ(parse({view.substr(0, first), view.substr(first, second - first), view.substr(second)}),
                whole)
          << first << ' ' << second;
    }
  }
}

TEST(EventParser, DecodesOnceFromLeftToRight) {
  EXPECT_EQ(decode_event_data("%250A"), "%0A");
  EXPECT_EQ(decode_event_data("%%25%0D%0A"), "%%\r\n");
  EXPECT_EQ(decode_event_data("%0a%41%2"), "%0a%41%2") << "nothing else is an escape";
  EXPECT_EQ(decode_event_data("%"), "%");
  EXPECT_EQ(decode_event_data(""), "");
}

TEST(EventParser, RefusesAnEventAboveItsBound) {
  const auto fits = [](const std::vector<std::string>& pieces) {
    EventParser parser(16);
    for (const std::string& piece : pieces) {
      if (!parser.feed(piece, [](const ServerEvent&) {})) return false;
    }
    return true;
  };
  EXPECT_TRUE(fits({"data: 0123456789\n\n"}));
  EXPECT_FALSE(fits({"data: 0123456789a\n\n"})) << "one line";
  EXPECT_FALSE(fits({"data: 012345", "6789a"})) << "a line without end";
  EXPECT_FALSE(fits({"data:0123\n", "data:4567\n", "data:89abcde\n"})) << "many lines";
  EXPECT_TRUE(fits({"data:0123\n\n", "data:4567\n\n", "data:89ab\n\n"})) << "of one event, not of all";
}

}  // namespace
}  // namespace keyturn::sdk
