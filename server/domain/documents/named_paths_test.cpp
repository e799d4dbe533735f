// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/named_paths.hpp"

#include <gtest/gtest.h>

#include <string>

#include "server/domain/documents/test_text.hpp"

namespace keyturn::server::documents {
namespace {

std::string named(const char* update, const char* before = R"({"_id":1,"a":1,"x.y":2})") {
  std::string all;
  for (const Path& path : named_paths(value_of(update), document_of(before))) {
    all += std::to_string(path.parts().size()) + ":" + dotted(path) + " ";
  }
  return all;
}

TEST(NamedPaths, AreThoseOfTheOperatorsWhateverTheyDo) {
  EXPECT_EQ(named(R"({"$set":{"a.b":1},"$max":{"c":1}})"), "2:a.b 1:c ");
  EXPECT_EQ(named(R"({"$rename":{"a":"b.c"}})"), "1:a 2:b.c ");
  EXPECT_EQ(named(R"({"$bit":{"a":{"or":0}}})"), "1:a ");
  EXPECT_EQ(named(R"({"$setOnInsert":{"a":1,"b.$[].c":1}})"), "3:b.$[].c ");
  EXPECT_EQ(named(R"({"$set":{}})"), "");
}

TEST(NamedPaths, OfAReplacementAreAllMembersOfBoth) {
  EXPECT_EQ(named(R"({"b":1})"), "1:b 1:a 1:x.y ");
  EXPECT_EQ(named("{}"), "1:a 1:x.y ");
  EXPECT_EQ(named(R"({"_id":1,"a":1,"x.y":2})"), "1:_id 1:a 1:x.y ");
}

TEST(NamedPaths, AreTheSameWhereNothingIsLeftOut) {
  const EjsonDocument whole = document_of(R"({"a":{"b":1,"c":2},"l":[{"x":1}]})");
  const EjsonDocument shown = document_of(R"({"a":{"b":1},"l":[{"x":1}]})");
  const auto same = [&](const char* path) { return same_at(whole, shown, {Path(path)}); };
  EXPECT_TRUE(same("a.b"));
  EXPECT_TRUE(same("a.b.deeper"));
  EXPECT_TRUE(same("nowhere.x"));
  EXPECT_TRUE(same("l.$[].x"));
  EXPECT_FALSE(same("a"));
  EXPECT_FALSE(same("a.c"));
  EXPECT_FALSE(same("a.c.deeper"));
}

}  // namespace
}  // namespace keyturn::server::documents
