// SPDX-License-Identifier: Apache-2.0
// The BSON corpus of MongoDB's driver specifications (vectors/README.md).
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <keyturn/ejson.hpp>

#include "core/ejson/bson.hpp"
#include "core/ejson/vector_file.hpp"

namespace keyturn {
namespace {

int digit_of(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }
std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit_of(hex[i]) * 16 + digit_of(hex[i + 1]));
  return out;
}

/// Without the spaces between its parts, and with its numbers, names and escapes written in one way: how a
/// Double is written is left free.
std::string tidy(std::string_view text) {
  json::Limits limits;
  limits.max_depth = 200;
  const auto value = json::parse(text, limits);
  EXPECT_TRUE(value) << text;
  if (!value) return "";
  std::string written = json::write(*value);
  const std::string mark = R"({"$numberDouble":")";
  const auto at = written.find(mark);
  const auto exponent = written.find("E+", at);
  if (at != std::string::npos && exponent != std::string::npos) {
    const auto end = written.find('"', exponent);
    const auto begin = at + mark.size();
    const double number = std::stod(written.substr(begin, end - begin));
    written.replace(at, end + 2 - at, Ejson(number).to_canonical());
  }
  return written;
}

std::string text_of(const json::Value& test, std::string_view member) {
  return std::string(test.string_at(member).value_or(""));
}

// JavaScript code and DBPointer, which these hold, have no place in `Ejson`; nor has a symbol, which is read
// as the string that it is where a database has it, but not taken from a text that would be written back.
const std::set<std::string> kWithoutAPlace = {"code", "code_w_scope", "dbpointer", "multi-type",
                                              "multi-type-deprecated"};
// Older clients write it (client-api.md section 3).
constexpr std::string_view kOlderDate = R"({"a" : {"$date" : 42}})";

void expect_refused(const json::Value& test) {
  EXPECT_FALSE(ejson::from_bson(from_hex(text_of(test, "canonical_bson"))).has_value());
  EXPECT_FALSE(Ejson::parse(text_of(test, "canonical_extjson")).has_value());
}

void expect_same(const json::Value& test, bool is_symbol) {
  const std::string bytes = from_hex(text_of(test, is_symbol ? "converted_bson" : "canonical_bson"));
  const std::string text = text_of(test, is_symbol ? "converted_extjson" : "canonical_extjson");
  for (const char* member : {"canonical_bson", "degenerate_bson"}) {
    if (test.find(member) == nullptr) continue;
    const auto value = ejson::from_bson(from_hex(text_of(test, member)));
    ASSERT_TRUE(value) << member << ": " << value.error().message;
    EXPECT_EQ(tidy(Ejson(*value).to_canonical()), tidy(text)) << member;
    EXPECT_EQ(ejson::to_bson(*value).value(), bytes) << member;
    if (const auto relaxed = test.string_at("relaxed_extjson")) {
      EXPECT_EQ(tidy(Ejson(*value).to_relaxed()), tidy(*relaxed)) << member;
    }
  }
  const bool is_lossy = test.find("lossy") != nullptr;
  for (const char* member : {"canonical_extjson", "degenerate_extjson", "relaxed_extjson"}) {
    if (test.find(member) == nullptr) continue;
    const auto value = Ejson::parse(text_of(test, member));
    if (is_symbol) {
      EXPECT_FALSE(value.has_value());
      continue;
    }
    ASSERT_TRUE(value) << member << ": " << value.error().message;
    const bool is_relaxed = std::string_view(member) == "relaxed_extjson";
    EXPECT_EQ(tidy(is_relaxed ? value->to_relaxed() : value->to_canonical()),
              tidy(is_relaxed ? text_of(test, member) : text))
        << member;
    if (is_relaxed || is_lossy) continue;
    EXPECT_EQ(ejson::to_bson(*value->get_if<EjsonDocument>()).value(), bytes) << member;
  }
}

TEST(BsonCorpus, EveryCaseIsAnsweredAsItSaysOrRefused) {
  std::map<std::string, int> counts;
  const auto cases = read_vector_file("bson_corpus.json");
  ASSERT_TRUE(cases) << cases.error().message;
  for (const json::Value& test : *cases->as_array()) {
    const std::string file = text_of(test, "file");
    const std::string kind = text_of(test, "kind");
    SCOPED_TRACE(file + ", " + kind + ": " + text_of(test, "description"));
    ++counts[kind];
    if (kind == "decodeErrors") {
      EXPECT_FALSE(ejson::from_bson(from_hex(text_of(test, "bson"))).has_value());
    } else if (kind == "parseErrors") {
      const std::string text = text_of(test, "string");
      EXPECT_FALSE(Ejson::parse(file.starts_with("decimal128")
                                    ? R"({"$numberDecimal":)" + json::write(json::Value(text)) + "}"
                                    : text)
                       .has_value() &&
                   text != kOlderDate);
    } else if (kWithoutAPlace.count(file) != 0) {
      expect_refused(test);
    } else {
      expect_same(test, file == "symbol");
    }
  }
  EXPECT_EQ(counts["valid"], 718);
  EXPECT_EQ(counts["decodeErrors"], 75);
  EXPECT_EQ(counts["parseErrors"], 180);
}

}  // namespace
}  // namespace keyturn
