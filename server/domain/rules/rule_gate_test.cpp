// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/rule_gate.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "server/domain/documents/test_text.hpp"
#include "server/domain/rules/rule_expression.hpp"

namespace keyturn::server::data {
namespace {

using documents::document_of;
using documents::value_of;

constexpr const char* kUser =
    R"({"id":"u1","type":"normal","data":{"email":"a@example.org","age":30},"custom_data":{"team":"red"},"identities":[]})";

struct Condition {
  const char* text;
  bool holds;
  friend void PrintTo(const Condition& c, std::ostream* out) { *out << c.text; }
};
class RuleExpressions : public ::testing::TestWithParam<Condition> {};

TEST_P(RuleExpressions, HoldAsWritten) {
  const Ejson user = value_of(kUser);
  const Ejson values = value_of(R"({"admins":["u1","u9"]})");
  const EjsonDocument root = document_of(
      R"({"_id":{"$oid":"5f0000000000000000000001"},"owner_id":"u1","n":5,"tags":["x"],"z":null})");
  const EjsonDocument previous = document_of(R"({"owner_id":"u2","n":4})");
  RuleFacts facts;
  facts.user = &user;
  facts.values = &values;
  facts.root = &root;
  facts.previous = &previous;
  const auto expression = RuleExpression::compile(value_of(GetParam().text));
  ASSERT_TRUE(expression) << expression.error().message;
  EXPECT_EQ(expression->holds(facts), GetParam().holds);
}

TEST(RuleExpression, OfACallKnowsTheRequestAndNoDocument) {
  const Ejson user = value_of(kUser);
  const Ejson request = value_of(R"({"remoteIPAddress":"192.0.2.1","requestHeaders":{"X-Team":["red"]}})");
  RuleFacts facts;
  facts.user = &user;
  facts.request = &request;
  const auto holds = [&](const char* text) {
    const auto rule = RuleExpression::compile(value_of(text), RuleTopic::call);
    return rule && rule->holds(facts);
  };
  EXPECT_TRUE(holds(R"({"%%request.remoteIPAddress":"192.0.2.1","%%user.id":"u1"})"));
  EXPECT_FALSE(holds(R"({"%%request.remoteIPAddress":"192.0.2.2"})"));
  EXPECT_TRUE(holds(R"({"%%request.requestHeaders.X-Team":["red"]})"));
  for (const char* about_document :
       {R"({"%%root.a":1})", R"({"%%user.id":"%%prevRoot.a"})", R"({"%%this":1})"})
    EXPECT_FALSE(RuleExpression::compile(value_of(about_document), RuleTopic::call));
  EXPECT_FALSE(RuleExpression::compile(value_of(R"({"%%request.httpMethod":"GET"})")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RuleExpressions,
    ::testing::Values(Condition{"null", true}, Condition{"{}", true}, Condition{"true", true},
                      Condition{"false", false}, Condition{R"("%%true")", true},
                      Condition{R"("%%false")", false}, Condition{R"({"%%true":true})", true},
                      Condition{R"({"%%true":"%%false"})", false},
                      Condition{R"({"%%root.owner_id":"%%user.id"})", true},
                      Condition{R"({"%%user.id":"%%root.owner_id"})", true},
                      Condition{R"({"%%prevRoot.owner_id":"%%user.id"})", false},
                      Condition{R"({"%%user.id":{"%in":["u0","u1"]}})", true},
                      Condition{R"({"%%user.id":{"$in":"%%values.admins"}})", true},
                      Condition{R"({"%%user.id":{"%nin":"%%values.admins"}})", false},
                      Condition{R"({"%%user.id":{"%in":"%%values.nobody"}})", false},
                      Condition{R"({"%%user.data.age":{"%gte":30}})", true},
                      Condition{R"({"%%user.data.age":{"%gt":30}})", false},
                      Condition{R"({"%%user.data.age":{"%lt":30}})", false},
                      Condition{R"({"%%user.data.age":{"%lte":30.0}})", true},
                      Condition{R"({"%%user.data.age":{"%gt":"1"}})", false},
                      Condition{R"({"%%root.n":{"%gt":"%%prevRoot.n"}})", true},
                      Condition{R"({"%%root.n":{"%eq":5,"%ne":6}})", true},
                      Condition{R"({"%%root.n":{"%not":{"%eq":5}}})", false},
                      Condition{R"({"%%root.missing":{"%exists":false}})", true},
                      Condition{R"({"%%root.n":{"%exists":true}})", true},
                      Condition{R"({"%%root.n":{"%exists":false}})", false},
                      Condition{R"({"%%root.missing":null})", true}, Condition{R"({"%%root.z":null})", true},
                      Condition{R"({"%%root.missing":"%%user.data.missing"})", false},
                      Condition{R"({"%%root.tags":"x"})", false}, Condition{R"({"%%root.tags":["x"]})", true},
                      Condition{R"({"%and":[{"%%user.id":"u1"},{"%%root.n":5}]})", true},
                      Condition{R"({"%and":[{"%%user.id":"u1"},false]})", false},
                      Condition{R"({"%or":[false,{"%%user.id":"u1"}]})", true},
                      Condition{R"({"%or":[]})", false},
                      Condition{R"({"%nor":[false,{"%%user.id":"u2"}]})", true},
                      Condition{R"({"%not":{"%%user.id":"u1"}})", false},
                      Condition{R"({"%%user.id":"u1","%%root.n":6})", false},
                      Condition{R"({"%%root._id":{"%stringToOid":"5f0000000000000000000001"}})", true}),
    [](const auto& row) { return "Row" + std::to_string(row.index); });

TEST(RuleExpression, RefusesByNameWhatItDoesNotKnow) {
  const auto why = [](const char* text) {
    const auto made = RuleExpression::compile(value_of(text));
    if (made) return std::string("accepted");
    EXPECT_EQ(made.error().code, ErrorCode::NoMatchingRuleFound);
    return made.error().message;
  };
  EXPECT_EQ(why(R"({"%%true":{"%function":{"name":"f"}}})"),
            "a rule uses %function, which is not supported, so it lets nobody in");
  EXPECT_NE(why(R"({"%%request.remoteIPAddress":"1.2.3.4"})").find("%%request"), std::string::npos);
  EXPECT_NE(why(R"({"owner_id":"%%user.id"})").find("%%root.owner_id"), std::string::npos);
  EXPECT_NE(why(R"({"%%user.id":{"%regex":"."}})").find("%regex"), std::string::npos);
  EXPECT_NE(why(R"({"%%user.id":"%%partition"})").find("%%partition"), std::string::npos);
  EXPECT_NE(why(R"({"%%user.id":{"a":{"%%user.id":1}}})").find("%%user.id"), std::string::npos);
  EXPECT_NE(why(R"("yes")"), "accepted");
  EXPECT_NE(why("7"), "accepted");
  EXPECT_NE(why(R"({"%and":{}})"), "accepted");
}

TEST(RuleQuery, ReplacesNamesAndMatchesNothingForWhatIsMissing) {
  const Ejson user = value_of(kUser);
  RuleFacts facts;
  facts.user = &user;
  const auto query = [&](const char* text) {
    const auto made = rule_query(value_of(text), facts);
    return made ? Ejson(*made).to_relaxed() : made.error().message;
  };
  const std::string none = Ejson(nothing()).to_relaxed();
  EXPECT_EQ(query(R"({"owner_id":"%%user.id"})"), R"({"owner_id":"u1"})");
  EXPECT_EQ(query(R"({"%%root.owner_id":"%%user.id"})"), R"({"owner_id":"u1"})");
  EXPECT_EQ(query(R"({"%or":[{"owner_id":"%%user.id"},{"team":{"%in":["%%user.custom_data.team"]}}]})"),
            R"({"$or":[{"owner_id":"u1"},{"team":{"$in":["red"]}}]})");
  EXPECT_EQ(query(R"({"team":"%%user.custom_data.missing"})"), none);
  EXPECT_EQ(query(R"({"team":{"$ne":"%%user.custom_data.missing"}})"), none);
  EXPECT_EQ(query(R"({"%nor":[{"team":"%%user.custom_data.missing"}]})"), none);
  EXPECT_EQ(query(R"({"%not":{"%or":[{"team":"%%user.custom_data.missing"}]}})"), none);
  EXPECT_EQ(query(R"({"%or":[{"owner_id":"%%user.id"},{"team":"%%user.missing"}]})"),
            R"({"$or":[{"owner_id":"u1"}]})");
  EXPECT_EQ(query(R"({"%%user.data.age":{"%gt":18},"n":1})"), R"({"n":1})");
  EXPECT_EQ(query(R"({"%%user.data.age":{"%gt":40},"n":1})"), none);
  EXPECT_EQ(query("true"), "{}");
  EXPECT_EQ(query("false"), none);
  EXPECT_NE(query(R"({"n":"%%root.m"})").find("%%root.m"), std::string::npos);
}

/// What a rule says of one document: the view, then what may be done.
class Gates : public ::testing::Test {
 protected:
  void rule(const std::string& roles, const char* user = kUser) {
    auto made = make_rule_gate(value_of(R"({"roles":)" + roles + "}"),
                               {value_of(user), Ejson(EjsonDocument()), Ejson(EjsonDocument())});
    fault = made ? "" : made.error().message;
    if (made) gate = *made;
  }
  std::string view(const char* document) {
    const auto seen = gate->view(document_of(document));
    return seen ? Ejson(*seen).to_relaxed() : "not found";
  }
  static std::string said(const Result<void>& result) { return result ? "yes" : result.error().message; }
  std::string insert(const char* after) { return said(gate->check_insert(document_of(after))); }
  std::string update(const char* before, const char* after) {
    return said(gate->check_update(document_of(before), document_of(after), {}));
  }
  std::string remove(const char* before) { return said(gate->check_remove(document_of(before))); }

  std::shared_ptr<const DocumentGate> gate;
  std::string fault;
};

TEST_F(Gates, WithoutARuleAUserHasWhatItOwns) {
  gate = *make_rule_gate(built_in_rule(), {value_of(kUser), Ejson(), Ejson()});
  EXPECT_EQ(Ejson(gate->prefilter()).to_relaxed(), R"({"owner_id":"u1"})");
  EXPECT_FALSE(gate->hides_members());
  EXPECT_EQ(view(R"({"_id":1,"owner_id":"u1"})"), R"({"_id":1,"owner_id":"u1"})");
  EXPECT_EQ(view(R"({"_id":1,"owner_id":"u2"})"), "not found");
  EXPECT_EQ(view(R"({"_id":1})"), "not found");
  EXPECT_EQ(insert(R"({"owner_id":"u1"})"), "yes");
  EXPECT_EQ(insert(R"({"owner_id":"u2"})"), "insert not permitted");
  EXPECT_EQ(insert(R"({"n":1})"), "insert not permitted");
  EXPECT_EQ(update(R"({"owner_id":"u1"})", R"({"owner_id":"u1","n":1})"), "yes");
  EXPECT_EQ(update(R"({"owner_id":"u1"})", R"({"owner_id":"u2"})"), "update not permitted");
  EXPECT_EQ(update(R"({"owner_id":"u2"})", R"({"owner_id":"u1"})"), "update not permitted");
  EXPECT_EQ(remove(R"({"owner_id":"u1"})"), "yes");
  EXPECT_EQ(remove(R"({"owner_id":"u2"})"), "delete not permitted");
}

TEST_F(Gates, ThePrefilterIsExactWhereItIsAllThatTheRuleAsks) {
  gate = *make_rule_gate(built_in_rule(), {value_of(kUser), Ejson(), Ejson()});
  EXPECT_TRUE(gate->prefilter_is_exact());
  gate = *make_rule_gate(built_in_rule(), {Ejson(), Ejson(), Ejson()});
  EXPECT_TRUE(gate->prefilter_is_exact()) << "nobody sees nothing";
  rule(R"([{"document_filters":{"read":{"n":1},"write":{"n":2}},"read":true,"write":{"%%root.a":1}}])");
  EXPECT_TRUE(gate->prefilter_is_exact());
  for (const char* roles :
       {R"([{"read":{"%%root.public":true}}])", R"([{"read":false,"write":true}])", R"([{"write":true}])",
        R"([{"fields":{"n":{"read":true}}}])", R"([{"apply_when":{"%%root.a":1},"read":true}])",
        R"([{"apply_when":{"%%root.a":1},"read":true},{"apply_when":{},"read":true}])"}) {
    rule(roles);
    EXPECT_FALSE(gate->prefilter_is_exact()) << roles;
  }
}

TEST_F(Gates, WithoutARuleNobodyHasNothing) {
  gate = *make_rule_gate(built_in_rule(), {Ejson(), Ejson(), Ejson()});
  EXPECT_EQ(gate->prefilter(), nothing());
  EXPECT_EQ(view(R"({"_id":1,"owner_id":null})"), "not found");
  EXPECT_EQ(insert(R"({"owner_id":null})"), "insert not permitted");
}

TEST_F(Gates, TheFirstRoleThatAppliesCounts) {
  rule(R"([{"apply_when":{"%%user.id":"u9"},"read":true,"write":true,"insert":true,"delete":true},
           {"apply_when":{},"read":true},{"apply_when":{},"read":true,"write":true,"delete":true}])");
  EXPECT_EQ(view(R"({"_id":1})"), R"({"_id":1})");
  EXPECT_EQ(update(R"({"_id":1})", R"({"_id":1,"n":1})"), "update not permitted");
  EXPECT_EQ(remove(R"({"_id":1})"), "delete not permitted");
  EXPECT_EQ(insert(R"({"_id":1})"), "insert not permitted");
  rule("[]");
  EXPECT_EQ(view(R"({"_id":1})"), "not found");
}

TEST_F(Gates, ARoleMayDependOnTheDocument) {
  rule(
      R"([{"apply_when":{"%%root.owner_id":"%%user.id"},"read":true,"write":true,"insert":true,"delete":true},
           {"apply_when":null,"read":{"%%root.public":true}}])");
  EXPECT_EQ(view(R"({"owner_id":"u2","public":true})"), R"({"owner_id":"u2","public":true})");
  EXPECT_EQ(view(R"({"owner_id":"u2"})"), "not found");
  EXPECT_EQ(update(R"({"owner_id":"u1"})", R"({"owner_id":"u1","n":2})"), "yes");
  EXPECT_EQ(update(R"({"owner_id":"u2","public":true})", R"({"owner_id":"u1"})"), "update not permitted");
  EXPECT_EQ(update(R"({"owner_id":"u1"})", R"({"owner_id":"u2"})"), "update not permitted");
}

TEST_F(Gates, AWriteConditionMustHoldBeforeAndAfterUnlessItNamesBoth) {
  rule(R"([{"read":true,"write":{"%%root.owner_id":"%%user.id"},"insert":true,"delete":true}])");
  EXPECT_EQ(update(R"({"owner_id":"u2"})", R"({"owner_id":"u1"})"), "update not permitted");
  EXPECT_EQ(update(R"({"owner_id":"u1"})", R"({"owner_id":"u2"})"), "update not permitted");
  rule(R"([{"read":true,"write":{"%%prevRoot.state":"open","%%root.state":"closed"}}])");
  EXPECT_EQ(update(R"({"state":"open"})", R"({"state":"closed"})"), "yes");
  EXPECT_EQ(update(R"({"state":"closed"})", R"({"state":"open"})"), "update not permitted");
}

TEST_F(Gates, WhoMayWriteMayReadAndAnExplicitNoIsANo) {
  rule(R"([{"write":true}])");
  EXPECT_EQ(view(R"({"_id":1})"), R"({"_id":1})");
  rule(R"([{"read":false,"fields":{"n":{"read":true}}}])");
  EXPECT_EQ(view(R"({"_id":1,"n":1})"), "not found");
  rule(R"([{"document_filters":{"read":{"n":1},"write":{"n":2}},"read":true,"write":true}])");
  EXPECT_EQ(view(R"({"n":1})"), R"({"n":1})");
  EXPECT_EQ(view(R"({"n":2})"), R"({"n":2})");
  EXPECT_EQ(view(R"({"n":3})"), "not found");
  EXPECT_EQ(update(R"({"n":1})", R"({"n":2})"), "update not permitted");
  EXPECT_EQ(update(R"({"n":2})", R"({"n":2,"m":1})"), "yes");
}

TEST_F(Gates, FieldsHideWhatMayNotBeRead) {
  rule(R"([{"fields":{"name":{"read":true},"n":{"write":true},"in":{"fields":{"a":{"read":true}}},
                      "mine":{"read":{"%%root.owner_id":"%%user.id"}}}}])");
  EXPECT_TRUE(gate->hides_members());
  EXPECT_EQ(view(R"({"_id":1,"name":"x","n":1,"secret":2,"in":{"a":1,"b":2},"mine":3,"owner_id":"u2"})"),
            R"({"_id":1,"name":"x","n":1,"in":{"a":1}})");
  EXPECT_EQ(view(R"({"_id":1,"mine":3,"owner_id":"u1"})"), R"({"_id":1,"mine":3})");
  EXPECT_EQ(view(R"({"_id":1,"secret":2})"), "not found");
  rule(R"([{"fields":{"secret":{"read":false}},"additional_fields":{"read":true}}])");
  EXPECT_EQ(view(R"({"_id":1,"secret":2,"n":1})"), R"({"_id":1,"n":1})");
}

TEST_F(Gates, FieldsBindWriters) {
  rule(R"([{"insert":true,"fields":{"n":{"write":{"%%this":{"%gt":0}}},"in":{"fields":{"a":{"write":true}}}},
            "additional_fields":{"read":true}}])");
  EXPECT_EQ(update(R"({"_id":1,"n":1})", R"({"_id":1,"n":2})"), "yes");
  EXPECT_EQ(update(R"({"_id":1,"n":1})", R"({"_id":1,"n":0})"), "update not permitted");
  EXPECT_EQ(update(R"({"_id":1,"m":1})", R"({"_id":1,"m":2})"), "update not permitted");
  EXPECT_EQ(update(R"({"_id":1,"m":1})", R"({"_id":1})"), "update not permitted");
  EXPECT_EQ(update(R"({"_id":1,"in":{"a":1,"b":2}})", R"({"_id":1,"in":{"a":5,"b":2}})"), "yes");
  EXPECT_EQ(update(R"({"_id":1,"in":{"a":1,"b":2}})", R"({"_id":1,"in":{"a":1}})"), "update not permitted");
  EXPECT_EQ(insert(R"({"_id":1,"n":1})"), "yes");
  EXPECT_EQ(insert(R"({"_id":1,"n":1,"m":1})"), "insert not permitted");
}

TEST_F(Gates, ARuleThatIsNotUnderstoodLetsNobodyIn) {
  rule(R"([{"apply_when":{"%%true":{"%function":{"name":"f"}}},"read":true}])");
  EXPECT_NE(fault.find("%function"), std::string::npos);
  rule(R"([{"read":{"%%request.x":1}}])");
  EXPECT_NE(fault.find("%%request.x"), std::string::npos);
  rule(R"([{"document_filters":{"read":{"$where":"1"}},"read":true}])");
  EXPECT_NE(fault.find("where"), std::string::npos);
  rule(R"({"a":1})");
  EXPECT_NE(fault, "");
}

TEST_F(Gates, FiltersOfARuleNarrowWhatIsSeen) {
  auto made = make_rule_gate(
      value_of(
          R"({"roles":[{"read":true,"write":true}],"filters":[{"apply_when":{"%%user.id":"u1"},"query":{"live":true}},
                   {"apply_when":{"%%user.id":"u2"},"query":{"never":1}}]})"),
      {value_of(kUser), Ejson(), Ejson()});
  ASSERT_TRUE(made);
  gate = *made;
  EXPECT_EQ(view(R"({"live":true})"), R"({"live":true})");
  EXPECT_EQ(view(R"({"live":false})"), "not found");
  EXPECT_EQ(update(R"({"live":true})", R"({"live":false})"), "update not permitted");
  EXPECT_EQ(Ejson(gate->prefilter()).to_relaxed(), R"({"$and":[{"live":true},{}]})");
}

}  // namespace
}  // namespace keyturn::server::data
