// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/document_schema.hpp"

#include <gtest/gtest.h>

#include <string>

#include "server/domain/documents/test_text.hpp"

namespace keyturn::server::data {
namespace {

using documents::document_of;
using documents::value_of;

std::string fault(const char* schema, const char* document) {
  const auto compiled = DocumentSchema::compile(value_of(schema));
  if (!compiled) return "schema: " + compiled.error().message;
  return compiled->fault_of(document_of(document)).value_or("");
}

TEST(DocumentSchema, NamesWhatDoesNotFit) {
  constexpr const char* kDog =
      R"({"title":"dog","bsonType":"object","required":["name"],"properties":{"_id":{"bsonType":"objectId"},
          "name":{"bsonType":"string","minLength":2,"maxLength":4,"pattern":"^[A-Zé]"},
          "age":{"bsonType":["int","long"],"minimum":0,"maximum":30},
          "tags":{"bsonType":"array","items":{"enum":["a","b"]},"minItems":1,"maxItems":2,"uniqueItems":true},
          "home":{"bsonType":"object","required":["x"],"additionalProperties":false,"properties":{"x":{"bsonType":"number"}}}}})";
  struct Row {
    const char* document;
    const char* fault;
  };
  for (const auto& [document, wanted] : {
           Row{R"({"name":"Rex","age":3,"tags":["a","b"],"home":{"x":1.5},"more":null})", ""},
           Row{R"({"name":"éééé"})", ""},
           Row{R"({"age":3})", "'name' is required"},
           Row{R"({"name":5})", "'name' is of type int"},
           Row{R"({"name":"R"})", "'name' is too short"},
           Row{R"({"name":"Rexxx"})", "'name' is too long"},
           Row{R"({"name":"rex"})", "'name' does not match its pattern"},
           Row{R"({"name":"Rex","_id":1})", "'_id' is of type int"},
           Row{R"({"name":"Rex","age":3.0})", "'age' is of type double"},
           Row{R"({"name":"Rex","age":-1})", "'age' is too small"},
           Row{R"({"name":"Rex","age":30})", ""},
           Row{R"({"name":"Rex","age":31})", "'age' is too large"},
           Row{R"({"name":"Rex","tags":[]})", "'tags' has too few elements"},
           Row{R"({"name":"Rex","tags":["a","b","a"]})", "'tags' has too many elements"},
           Row{R"({"name":"Rex","tags":["a","c"]})", "'tags.1' is none of the values that it may have"},
           Row{R"({"name":"Rex","tags":["a","a"]})", "'tags' has an element twice"},
           Row{R"({"name":"Rex","home":{}})", "'home.x' is required"},
           Row{R"({"name":"Rex","home":{"x":1,"y":1}})", "'home.y' is not in the schema"},
       }) {
    EXPECT_EQ(fault(kDog, document), wanted) << document;
  }
}

TEST(DocumentSchema, AClosedDocumentStillHasAnId) {
  EXPECT_EQ(fault(R"({"additionalProperties":false,"properties":{"a":{}}})", R"({"_id":1,"a":2})"), "");
  EXPECT_EQ(fault(R"({"additionalProperties":{"bsonType":"uuid"}})",
                  R"({"a":{"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d4"}})"),
            "");
  EXPECT_EQ(fault(R"({"additionalProperties":{"bsonType":"bool"}})", R"({"a":1})"), "'a' is of type int");
  EXPECT_EQ(fault(R"({"properties":{"a":{"bsonType":"mixed"}}})", R"({"a":1})"), "");
}

TEST(DocumentSchema, WhatItDoesNotKnowIsNamed) {
  for (const char* schema :
       {R"({"oneOf":[]})", R"({"properties":{"a":{"validate":{}}}})", R"({"items":{"not":{}}})"}) {
    const std::string text = fault(schema, "{}");
    EXPECT_EQ(text.find("schema: the schema of the collection uses '"), 0U) << text;
  }
  for (const char* schema :
       {R"({"bsonType":"text"})", R"({"bsonType":5})", R"({"minimum":"1"})", R"({"pattern":"("})",
        R"({"required":[1]})", R"({"minLength":-1})", R"({"enum":1})", "5"}) {
    EXPECT_EQ(fault(schema, "{}").find("schema: "), 0U) << schema;
  }
}

}  // namespace
}  // namespace keyturn::server::data
