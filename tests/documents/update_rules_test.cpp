// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "tests/documents/document_service_fixture.hpp"

namespace keyturn::server {
namespace {

// An answer may not depend on what is hidden, so that nobody can ask for it by updates that change nothing.
TEST_F(Documents, AnUpdateTellsNothingOfWhatItsCallerMayNotWrite) {
  call(the_system(), "insertOne",
       R"("document":{"_id":1,"name":"a","secret":500,"list":[{"s":3}],"in":{"a":1,"b":2}})");
  put("rules/s1", "r1",
      R"({"database":"d","collection":"c","roles":[{"apply_when":{},"insert":true,"fields":{"name":{"read":true,"write":true},
          "list":{"fields":{"p":{"write":true}}},"in":{"fields":{"a":{"read":true,"write":true}}}}}]})");
  for (const char* update : {R"({"$max":{"secret":400}})",
                             R"({"$max":{"secret":600}})",
                             R"({"$min":{"secret":400}})",
                             R"({"$min":{"secret":600}})",
                             R"({"$set":{"secret":500}})",
                             R"({"$set":{"secret":501}})",
                             R"({"$push":{"secret":1}})",
                             R"({"$inc":{"secret":0}})",
                             R"({"$set":{"secret.x":1}})",
                             R"({"$unset":{"nowhere":1}})",
                             R"({"$pull":{"list":{"s":{"$gt":100}}}})",
                             R"({"$pull":{"list":{"s":{"$gt":1}}}})",
                             R"({"$rename":{"secret":"name"}})",
                             R"({"$rename":{"nowhere":"name"}})",
                             R"({"$rename":{"name":"secret"}})",
                             R"({"$set":{"in":{"a":1,"b":2}}})",
                             R"({"$set":{"in":{"a":1,"b":3}}})",
                             R"({"$set":{"name":"a","in.b":2}})",
                             R"({"$setOnInsert":{"secret.$[].x":1}})",
                             R"({"name":"a","secret":500,"list":[{"s":3}],"in":{"a":1,"b":2}})",
                             R"({"name":"a","secret":501})",
                             R"({"name":"a"})"}) {
    const std::string change = R"("query":{"_id":1},"update":)" + std::string(update);
    EXPECT_EQ(call(user("u1"), "updateOne", change), "update not permitted") << update;
    EXPECT_EQ(code_, ErrorCode::NoMatchingRuleFound);
    EXPECT_EQ(call(user("u1"), "findOneAndUpdate", R"("filter":{"_id":1},"update":)" + std::string(update)),
              "update not permitted")
        << update;
  }
  for (const char* found : {"8", "2"}) {
    EXPECT_EQ(call(user("u1"), "updateOne",
                   R"("query":{"_id":1},"update":{"$set":{"list.$[x].s":3}},"arrayFilters":[{"x.s":{"$gt":)" +
                       std::string(found) + "}}]"),
              "update not permitted");
  }
  EXPECT_EQ(call(user("u1"), "bulkWrite",
                 R"("operations":[{"updateMany":{"filter":{},"update":{"$max":{"secret":400}}}}])"),
            "update not permitted");
  EXPECT_EQ(call(user("u1"), "replaceOne", R"("filter":{"_id":1},"replacement":{"name":"a","secret":500})"),
            "update not permitted");
  const char* one = R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})";
  EXPECT_EQ(
      call(
          user("u1"), "updateOne",
          R"("query":{"_id":1},"update":{"$set":{"_id":1,"name":"b","in.a":5},"$setOnInsert":{"secret":1}})"),
      one);
  EXPECT_EQ(call(user("u1"), "updateOne", R"("query":{"_id":1},"update":{"$inc":{"name":1}})"),
            "Cannot apply $inc to a value of non-numeric type");
}

// Whether a condition about what a document becomes holds is known only after the update.
TEST_F(Documents, AFaultOfAnUpdateIsToldToWhoSeesWhatItIsAbout) {
  call(
      the_system(), "insertMany",
      R"("documents":[{"_id":1,"state":"open","n":"x","secret":"y"},{"_id":2,"state":"shut","n":1,"secret":2}])");
  put("rules/s1", "r1",
      R"({"database":"d","collection":"c","roles":[{"apply_when":{},"additional_fields":{"read":true,"write":true},
          "fields":{"secret":{"read":false,"write":{"%%prevRoot.state":"open","%%root.state":"done"}}}}]})");
  EXPECT_EQ(call(user("u1"), "updateOne",
                 R"("query":{"_id":1},"update":{"$set":{"state":"done"},"$inc":{"secret":1}})"),
            "update not permitted");
  EXPECT_EQ(call(user("u1"), "updateOne", R"("query":{"_id":2},"update":{"$max":{"secret":1}})"),
            "update not permitted");
  EXPECT_EQ(call(user("u1"), "updateOne", R"("query":{"_id":1},"update":{"$inc":{"n":1}})"),
            "Cannot apply $inc to a value of non-numeric type");
  EXPECT_EQ(
      call(user("u1"), "updateOne", R"("query":{"_id":1},"update":{"$set":{"state":"done","secret":1}})"),
      R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})");
}

TEST_F(Documents, WithoutARightToWriteEvenAnUpdateThatChangesNothingIsRefused) {
  call(the_system(), "insertOne", R"("document":{"_id":1,"n":1})");
  for (const char* role :
       {R"({"read":true})", R"({"fields":{"n":{"read":true}}})",
        R"({"read":true,"document_filters":{"read":{"n":1},"write":{"n":2}},"write":true})"}) {
    put("rules/s1", "r1",
        (R"({"database":"d","collection":"c","roles":[)" + std::string(role) + "]}").c_str());
    for (const char* update : {R"({"$set":{"n":1}})", R"({"$push":{"n":1}})", R"({"n":1})"}) {
      EXPECT_EQ(call(user("u1"), "updateOne", R"("query":{"_id":1},"update":)" + std::string(update)),
                "update not permitted")
          << role << update;
    }
  }
}

}  // namespace
}  // namespace keyturn::server
