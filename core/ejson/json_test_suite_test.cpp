// SPDX-License-Identifier: Apache-2.0
// JSONTestSuite (vectors/README.md), for both readers: that of messages and that of Extended JSON.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/ejson.hpp>

#include "core/ejson/base64.hpp"
#include "core/ejson/vector_file.hpp"
#include "core/json/json.hpp"

namespace keyturn {
namespace {

struct Decision {
  const char* name;
  bool is_read;
  const char* why;
};
// Where RFC 8259 leaves the choice, or the project is stricter (rule S17). What is not named here is refused
// for half a surrogate pair or for bytes that are no UTF-8.
const Decision kDecisions[] = {
    {"i_number_double_huge_neg_exp", true, "too small: zero"},
    {"i_number_huge_exp", false, "no Double holds it"},
    {"i_number_neg_int_huge_exp", false, "no Double holds it"},
    {"i_number_pos_double_huge_exp", false, "no Double holds it"},
    {"i_number_real_neg_overflow", false, "no Double holds it"},
    {"i_number_real_pos_overflow", false, "no Double holds it"},
    {"i_number_real_underflow", true, "too small: zero"},
    {"i_number_too_big_neg_int", true, "no Int64 holds it: a Double"},
    {"i_number_too_big_pos_int", true, "no Int64 holds it: a Double"},
    {"i_number_very_big_negative_int", true, "no Int64 holds it: a Double"},
    {"i_structure_500_nested_arrays", false, "too deep"},
    {"i_structure_UTF-8_BOM_empty_object", false, "a byte-order mark"},
    {"number_-9223372036854775808", true, "a number"},
    {"number_-9223372036854775809", true, "a number"},
    {"number_1000000000000000", true, "a number"},
    {"number_10000000000000000999", true, "a number"},
    {"number_1e-999", true, "too small: zero"},
    {"number_1e6", true, "a number"},
    {"number_9223372036854775807", true, "a number"},
    {"number_9223372036854775808", true, "a number"},
    {"object_key_nfc_nfd", true, "names are compared by bytes"},
    {"object_key_nfd_nfc", true, "names are compared by bytes"},
    {"object_same_key_different_values", false, "a name twice"},
    {"object_same_key_same_value", false, "a name twice"},
    {"object_same_key_unclear_values", false, "a name twice"},
    {"string_with_escaped_NULL", true, "a zero in a string"},
    {"y_object_duplicated_key", false, "a name twice"},
    {"y_object_duplicated_key_and_value", false, "a name twice"},
};

std::string bytes_of_case(const json::Value& test) {
  if (const auto text = test.string_at("text")) return std::string(*text);
  if (const auto text = test.string_at("base64")) return ejson::decode_base64(*text).value_or("");
  std::string out;
  for (auto left = test.int_at("times").value_or(0); left > 0; --left) out += *test.string_at("repeated");
  return out + std::string(*test.string_at("then"));
}

TEST(JsonTestSuite, BothReadersAnswerAsItSaysOrAsIsDecided) {
  std::map<std::string_view, const Decision*> decisions;
  for (const Decision& each : kDecisions) decisions[each.name] = &each;
  std::map<char, int> counts;
  const auto cases = read_vector_file("json_test_suite.json");
  ASSERT_TRUE(cases) << cases.error().message;
  for (const json::Value& test : *cases->as_array()) {
    const std::string name(*test.string_at("name"));
    const std::string text = bytes_of_case(test);
    const auto decided = decisions.find(name);
    const bool is_parsing = name[1] == '_';
    const bool wanted = decided != decisions.end() ? decided->second->is_read : name.starts_with("y_");
    EXPECT_EQ(json::parse(text).has_value(), wanted) << name;
    // BSON ends a name at its first zero.
    EXPECT_EQ(Ejson::parse(text).has_value(), wanted && name != "y_object_escaped_null_in_key") << name;
    if (decided != decisions.end()) decisions.erase(decided);
    ++counts[is_parsing ? name[0] : 't'];
  }
  EXPECT_EQ(counts['y'], 95);
  EXPECT_EQ(counts['n'], 172);
  EXPECT_EQ(counts['i'], 35);
  EXPECT_EQ(counts['t'], 20);
  EXPECT_TRUE(decisions.empty()) << "decided, and in no case: " << decisions.begin()->first;
}

}  // namespace
}  // namespace keyturn
