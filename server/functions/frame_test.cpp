// SPDX-License-Identifier: Apache-2.0
#include "server/functions/frame.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace keyturn::server::functions {
namespace {

std::string length_of(std::size_t length) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>((length >> (8 * i)) & 0xFFU);
  return out;
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(FrameReader, GivesFramesHoweverTheyWereCut) {
  const std::string bytes = frame("one") + frame("") + frame(std::string(1'000, 'x'));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{7}, bytes.size()}) {
    FrameReader reader;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.append(std::string_view(bytes).substr(at, piece));
      while (const auto text = reader.next()) got.emplace_back(*text);
    }
    EXPECT_EQ(got, (std::vector<std::string>{"one", "", std::string(1'000, 'x')}));
    EXPECT_TRUE(reader.empty());
  }
}

TEST(FrameReader, RefusesAFrameThatAnnouncesTooMuch) {
  for (const auto& [length, is_broken] : {std::pair{kMaxFrameBytes - 1, false},
                                          {kMaxFrameBytes, false},
                                          {kMaxFrameBytes + 1, true},
                                          {std::size_t{0xFFFFFFFF}, true}}) {
    FrameReader reader;
    reader.append(length_of(length));
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.is_broken(), is_broken) << length;
    reader.append("x");
    EXPECT_FALSE(reader.next().has_value());
  }
}

TEST(FrameReader, GivesALargestFrame) {
  FrameReader reader;
  reader.append(frame(std::string(kMaxFrameBytes, 'x')));
  const auto text = reader.next();
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->size(), kMaxFrameBytes);
}

TEST(ParseMessage, ReadsWhatAWorkerSays) {
  EXPECT_TRUE(std::holds_alternative<WorkerReady>(parse_message(R"({"t":"ready"})").value()));
  EXPECT_TRUE(std::holds_alternative<WorkerPong>(parse_message(R"({"t":"pong"})").value()));
  const auto result = parse_message(R"({"id":7,"t":"ret","async":true,"v":{"a":1},"logs":["x"]})").value();
  EXPECT_EQ(std::get<WorkerResult>(result).call, 7);
  EXPECT_TRUE(std::get<WorkerResult>(result).is_async);
  EXPECT_EQ(json::write(std::get<WorkerResult>(result).value), R"({"a":1})");
  const auto thrown = parse_message(R"({"id":7,"t":"err","code":"thrown","message":"m","logs":[]})").value();
  EXPECT_EQ(std::get<WorkerFailure>(thrown).message, "m");
  const auto request = parse_message(R"({"t":"host","id":7,"rpc":3,"m":"values.get","a":["x"]})").value();
  EXPECT_EQ(std::get<WorkerRequest>(request).rpc, 3);
  EXPECT_EQ(std::get<WorkerRequest>(request).method, "values.get");
}

TEST(ParseMessage, RefusesWhatIsNoMessage) {
  for (const char* text : {"",
                           "null",
                           "[]",
                           "{}",
                           "{",
                           R"({"t":1})",
                           R"({"t":"ret"})",
                           R"({"t":"ret","id":1})",
                           R"({"t":"ret","id":"1","v":1})",
                           R"({"t":"ret","id":1.5,"v":1})",
                           R"({"t":"call","id":1,"v":1})",
                           R"({"t":"err","id":1,"code":"thrown"})",
                           R"({"t":"err","id":1,"code":"other","message":"m"})",
                           R"({"t":"err","id":1,"code":"thrown","message":5})",
                           R"({"t":"host","id":1,"m":"x","a":[]})",
                           R"({"t":"host","id":1,"rpc":"1","m":"x","a":[]})",
                           R"({"t":"host","id":1,"rpc":1,"m":5,"a":[]})",
                           R"({"t":"host","id":1,"rpc":1,"m":"x","a":{}})",
                           R"({"t":"ready","t":"ready"})",
                           "{\"t\":\"ready\"}x",
                           "{\"t\":\"\xFF\"}"}) {
    EXPECT_FALSE(parse_message(text).has_value()) << text;
  }
}

TEST(ParseMessage, BoundsDepthMessageAndLogs) {
  const auto result = [](const std::string& value) {
    return parse_message(R"({"id":1,"t":"ret","v":)" + value + "}").has_value();
  };
  EXPECT_TRUE(result(nested(103)));
  EXPECT_FALSE(result(nested(104)));
  EXPECT_FALSE(result(nested(100'000)));
  const auto failure = [](std::size_t bytes) {
    return parse_message(R"({"id":1,"t":"err","code":"thrown","message":")" + std::string(bytes, 'm') +
                         "\"}");
  };
  EXPECT_TRUE(failure(64 * 1024).has_value());
  EXPECT_FALSE(failure(64 * 1024 + 1).has_value());

  std::string lines = "\"first\"";
  for (int i = 0; i < 30; ++i) lines += ",\"" + std::to_string(i) + std::string(600, 'x') + "\"";
  const auto logged = parse_message(R"({"id":1,"t":"ret","v":1,"logs":[)" + lines + ",5,null]}").value();
  const auto& logs = std::get<WorkerResult>(logged).logs;
  ASSERT_LE(logs.size(), kMaxLogs);
  for (const std::string& line : logs) EXPECT_LE(line.size(), kMaxLogBytes);
}

TEST(CallFrames, KeepHostileNamesInsideTheirStrings) {
  const std::string name = "f\",\"id\":9,\"x\":\"\n\xFF";
  const CallHead head{1, name, "h", std::string_view("exports = 1")};
  FrameReader reader;
  reader.append(call_frames(head, call_body({json::Value("a")}, {{"user", json::Object{{"id", name}}}})));
  const auto first = json::parse(reader.next().value());
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->int_at("id"), 1);
  EXPECT_EQ(first->string_at("source"), "exports = 1");
  const auto second = json::parse(reader.next().value());
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(json::write(*second->find("args")), R"(["a"])");
}

TEST(CallFrames, KeepIntegersThatJavaScriptWouldRound) {
  const json::Array arguments{json::parse(R"([9007199254740991,9007199254740992,-9007199254740992,
      {"a":[9223372036854775807,-9223372036854775808],"b":{}},[],"[",1.5,null])")
                                  .value()};
  FrameReader reader;
  reader.append(call_frames({7, "f", "h", {}},
                            call_body(arguments, {{"user", json::Object{{"n", 9007199254740993}}}})));
  ASSERT_TRUE(reader.next().has_value());
  EXPECT_EQ(
      reader.next(),
      R"({"args":[[9007199254740991,{"$numberLong":"9007199254740992"},{"$numberLong":"-9007199254740992"},)"
      R"({"a":[{"$numberLong":"9223372036854775807"},{"$numberLong":"-9223372036854775808"}],"b":{}},[],"[",1.5,null]],)"
      R"("context":{"user":{"n":{"$numberLong":"9007199254740993"}}}})");
  reader.append(answer_frame(1, {{"v", 9007199254740993}}));
  EXPECT_EQ(reader.next(), R"({"v":{"$numberLong":"9007199254740993"},"t":"hostr","rpc":1})");
}

TEST(ParseMessage, CutsALogLineBetweenCharacters) {
  const auto line_of = [](const std::string& line) {
    const auto message = parse_message(
        json::write(json::Object{{"t", "ret"}, {"id", 1}, {"v", nullptr}, {"logs", json::Array{line}}}));
    return std::get<WorkerResult>(message.value()).logs.at(0);
  };
  const std::string most(kMaxLogBytes, 'x');
  EXPECT_EQ(line_of(most), most);
  EXPECT_EQ(line_of(most + "x"), most);
  const std::string less(kMaxLogBytes - 3, 'x');
  EXPECT_EQ(line_of(less + "\xE2\x82\xAC"), less + "\xE2\x82\xAC");
  EXPECT_EQ(line_of(less + "x\xE2\x82\xAC"), less + "x");
  EXPECT_EQ(line_of(less + "xx\xE2\x82\xAC"), less + "xx");
  EXPECT_EQ(line_of(less + "\xF0\x9F\x98\x80"), less);
}

}  // namespace
}  // namespace keyturn::server::functions
