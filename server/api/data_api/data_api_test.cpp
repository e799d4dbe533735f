// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/json/json.hpp"
#include "server/api/data_api/actions.hpp"
#include "server/api/data_api/config.hpp"
#include "server/api/data_api/format.hpp"

namespace keyturn::server::api {
namespace {

EjsonDocument document(const std::string& text) {
  const auto parsed = Ejson::parse(text);
  EXPECT_TRUE(parsed) << text;
  const auto* found = parsed ? parsed->get_if<EjsonDocument>() : nullptr;
  return found == nullptr ? EjsonDocument() : *found;
}

std::string plain(const std::string& text) { return write_data(Ejson(document(text)), DataFormat::json); }

TEST(DataApiFormat, ReducesEveryTypeToJson) {
  EXPECT_EQ(plain(R"({"v":{"$oid":"65f0c0ffee0000000000abcd"}})"), R"({"v":"65f0c0ffee0000000000abcd"})");
  EXPECT_EQ(plain(R"({"v":{"$date":{"$numberLong":"0"}}})"), R"({"v":"1970-01-01T00:00:00.000Z"})");
  EXPECT_EQ(plain(R"({"v":{"$date":{"$numberLong":"1714979289007"}}})"),
            R"({"v":"2024-05-06T07:08:09.007Z"})");
  EXPECT_EQ(plain(R"({"v":{"$numberInt":"-3"}})"), R"({"v":-3})");
  EXPECT_EQ(plain(R"({"v":{"$numberLong":"9223372036854775807"}})"), R"({"v":9223372036854775807})");
  EXPECT_EQ(plain(R"({"v":{"$numberDouble":"1.5"}})"), R"({"v":1.5})");
  EXPECT_EQ(plain(R"({"v":{"$numberDouble":"NaN"}})"), R"({"v":"NaN"})");
  EXPECT_EQ(plain(R"({"v":{"$numberDouble":"-Infinity"}})"), R"({"v":"-Infinity"})");
  EXPECT_EQ(plain(R"({"v":{"$numberDecimal":"1.10"}})"), R"({"v":"1.10"})");
  EXPECT_EQ(plain(R"({"v":{"$binary":{"base64":"AQI=","subType":"05"}}})"),
            R"({"v":{"Subtype":5,"Data":"AQI="}})");
  EXPECT_EQ(plain(R"({"v":{"$regularExpression":{"pattern":"a","options":"i"}}})"),
            R"({"v":{"Pattern":"a","Options":"i"}})");
  EXPECT_EQ(plain(R"({"v":{"$timestamp":{"t":7,"i":2}}})"), R"({"v":{"T":7,"I":2}})");
  EXPECT_EQ(plain(R"({"a":{"$minKey":1},"b":{"$maxKey":1}})"), R"({"a":{},"b":{}})");
  EXPECT_EQ(plain(R"({"a":null,"b":true,"c":"x","d":[1,{"e":{}}]})"),
            R"({"a":null,"b":true,"c":"x","d":[1,{"e":{}}]})");
}

TEST(DataApiFormat, KeepsEveryTypeInEjson) {
  EXPECT_EQ(write_data(Ejson(document(R"({"n":1})")), DataFormat::ejson), R"({"n":{"$numberInt":"1"}})");
}

TEST(DataApiFormat, IsTheOneThatIsAcceptedFirst) {
  const auto format = [](std::string_view accept) { return data_format_for(accept, DataFormat::json); };
  EXPECT_EQ(format(""), DataFormat::json);
  EXPECT_EQ(format("*/*"), DataFormat::json);
  EXPECT_EQ(format("application/ejson"), DataFormat::ejson);
  EXPECT_EQ(format("Application/EJSON;q=1, application/json"), DataFormat::ejson);
  EXPECT_EQ(format("application/json, application/ejson"), DataFormat::json);
  EXPECT_EQ(data_format_for("*/*", DataFormat::ejson), DataFormat::ejson);
  EXPECT_EQ(data_format_for("application/json", DataFormat::ejson), DataFormat::json);
}

constexpr const char* kWhere = R"("dataSource":"mongodb-atlas","database":"shop","collection":"orders")";

Result<DataApiAction> read(std::string_view action, const std::string& rest) {
  return read_data_api_action(action, document("{" + std::string(kWhere) + rest + "}"));
}

TEST(DataApiActions, AreTranslatedToThoseOfTheService) {
  struct Row {
    const char* action;
    const char* rest;
    const char* arguments;
    const char* result_name;
  };
  for (const Row& row : {
           Row{"findOne", R"(,"filter":{"a":1},"projection":{"b":1})",
               R"(,"query":{"a":1},"project":{"b":1})", "document"},
           Row{"find", R"(,"filter":{},"sort":{"b":-1},"limit":2,"skip":1)",
               R"(,"query":{},"sort":{"b":-1},"limit":2,"skip":1)", "documents"},
           Row{"insertOne", R"(,"document":{"a":1})", R"(,"document":{"a":1})", ""},
           Row{"insertMany", R"(,"documents":[{"a":1}])", R"(,"documents":[{"a":1}])", ""},
           Row{"updateOne", R"(,"filter":{"a":1},"update":{"$set":{"b":2}},"upsert":true)",
               R"(,"query":{"a":1},"update":{"$set":{"b":2}},"upsert":true)", ""},
           Row{"updateMany", R"(,"filter":{},"update":{"$set":{"b":2}})",
               R"(,"query":{},"update":{"$set":{"b":2}})", ""},
           Row{"replaceOne", R"(,"filter":{"a":1},"replacement":{"b":2})",
               R"(,"query":{"a":1},"replacement":{"b":2})", ""},
           Row{"deleteOne", R"(,"filter":{"a":1})", R"(,"query":{"a":1})", ""},
           Row{"deleteMany", R"(,"filter":{})", R"(,"query":{})", ""},
           Row{"aggregate", R"(,"pipeline":[{"$match":{}}])", R"(,"pipeline":[{"$match":{}}])", "documents"},
       }) {
    const auto action = read(row.action, row.rest);
    ASSERT_TRUE(action) << row.action << action.error().message;
    EXPECT_EQ(action->service, "mongodb-atlas");
    EXPECT_EQ(action->name, row.action);
    EXPECT_EQ(action->result_name, row.result_name);
    EXPECT_EQ(action->arguments,
              document(R"({"database":"shop","collection":"orders")" + std::string(row.arguments) + "}"));
    EXPECT_TRUE(is_data_api_action(row.action));
  }
  EXPECT_FALSE(is_data_api_action("drop"));
}

TEST(DataApiActions, NameWhatIsMissingOrWrong) {
  const auto refused = [](std::string_view action, const std::string& body, ErrorCode code,
                          const std::string& text) {
    const auto read = read_data_api_action(action, document(body));
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, code) << body;
    EXPECT_EQ(read.error().http_status, 400);
    EXPECT_EQ(read.error().message, text);
  };
  refused("find", R"({"database":"d","collection":"c","filter":{}})", ErrorCode::MissingParameter,
          "'dataSource' is required");
  refused("find", R"({"dataSource":"s","collection":"c","filter":{}})", ErrorCode::MissingParameter,
          "'database' is required");
  refused("find", R"({"dataSource":"s","database":"d","filter":{}})", ErrorCode::MissingParameter,
          "'collection' is required");
  refused("find", R"({"dataSource":"s","database":"d","collection":7})", ErrorCode::InvalidParameter,
          "'collection' must be a string that is not empty");
  const std::string where = "{" + std::string(kWhere);
  refused("deleteMany", where + "}", ErrorCode::MissingParameter, "'filter' is required");
  refused("find", where + R"(,"filter":[]})", ErrorCode::InvalidParameter, "'filter' must be a document");
  refused("find", where + R"(,"filter":{},"limit":-1})", ErrorCode::InvalidParameter,
          "'limit' must be an integer that is not negative");
  refused("updateOne", where + R"(,"filter":{},"update":{},"upsert":"yes"})", ErrorCode::InvalidParameter,
          "'upsert' must be true or false");
  refused("aggregate", where + R"(,"pipeline":{}})", ErrorCode::InvalidParameter,
          "'pipeline' must be an array");
}

TEST(DataApiActions, PutTheResultUnderItsName) {
  const auto one = read("findOne", R"(,"filter":{})");
  EXPECT_EQ(shape_data_api_result(*one, Ejson()), Ejson(EjsonDocument{{"document", Ejson()}}));
  const auto inserted = read("insertOne", R"(,"document":{})");
  EXPECT_EQ(shape_data_api_result(*inserted, Ejson(EjsonDocument{{"insertedId", "x"}})),
            Ejson(EjsonDocument{{"insertedId", "x"}}));
}

TEST(DataApiConfig, IsOffUntilItIsMade) {
  const auto rules = read_data_api_config(default_data_api_config());
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->disabled);
}

TEST(DataApiConfig, IsReadWithAllItsMembers) {
  json::Object config = default_data_api_config();
  config.set("disabled", false);
  config.set("return_type", "EJSON");
  config.set("validation_method", "VERIFY_PAYLOAD");
  config.set("secret_name", "signing");
  config.set("create_user_on_auth", true);
  config.set("run_as_user_id", "u1");
  config.set("can_evaluate", json::Object{{"%%user.id", "u1"}});
  const auto rules = read_data_api_config(config);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_FALSE(rules->disabled);
  EXPECT_EQ(rules->format, DataFormat::ejson);
  EXPECT_EQ(rules->validation, EndpointValidation::signed_body);
  EXPECT_EQ(rules->secret_name, "signing");
  EXPECT_TRUE(rules->create_user_on_auth);
  EXPECT_TRUE(rules->runs_as_other());
  EXPECT_FALSE(rules->can_evaluate.is_null());
}

TEST(DataApiConfig, TakesTrueAndFalseForACondition) {
  for (const bool allows : {true, false}) {
    json::Object config = default_data_api_config();
    config.set("can_evaluate", allows);
    const auto rules = read_data_api_config(config);
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_EQ(rules->can_evaluate, json::Value(allows));
  }
}

TEST(DataApiConfig, NamesASecretByIdOrByName) {
  json::Object config = default_data_api_config();
  config.set("validation_method", "SECRET_AS_QUERY_PARAM");
  config.set("secret_name", "");
  config.set("secret_id", "65f0c0ffee0000000000abcd");
  const auto rules = read_data_api_config(config);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->validation, EndpointValidation::secret_in_query);
}

TEST(DataApiConfig, RefusesWhatItDoesNotKnow) {
  struct Row {
    const char* name;
    json::Value value;
  };
  for (const Row& row :
       {Row{"disabled", "no"}, Row{"return_type", "XML"}, Row{"validation_method", "MAYBE"},
        Row{"validation_method", "SECRET_AS_QUERY_PARAM"}, Row{"versions", json::Array{"v2"}},
        Row{"versions", json::Array{}}, Row{"can_evaluate", "yes"}, Row{"run_as_user_id", 7}}) {
    json::Object config = default_data_api_config();
    config.set(row.name, row.value);
    const auto rules = read_data_api_config(config);
    ASSERT_FALSE(rules) << row.name;
    EXPECT_EQ(rules.error().code, ErrorCode::InvalidParameter) << row.name;
  }
}

}  // namespace
}  // namespace keyturn::server::api
