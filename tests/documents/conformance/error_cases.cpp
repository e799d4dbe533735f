// SPDX-License-Identifier: Apache-2.0
#include "tests/documents/conformance/document_conformance.hpp"

namespace keyturn::server::conformance {

// What MongoDB takes for a mistake is one here as well.
const std::vector<DocumentCase>& error_cases() {
  static const std::vector<DocumentCase> cases{
      {"RefusesAnEmptySortInPush", "[]", "update",
       R"({"filter":{},"update":{"$push":{"a":{"$each":[],"$sort":{}}}}})", "!$sort"},
      {"RefusesAnEmptyNameInASortOfPush", "[]", "update",
       R"({"filter":{},"update":{"$push":{"a":{"$each":[],"$sort":{"a.":1}}}}})", "!$sort"},
      {"RefusesMoreThanATypeOfTheCurrentDate", "[]", "update",
       R"({"filter":{},"update":{"$currentDate":{"a":{"$type":"date","who":1}}}})", "!$currentDate"},
      {"RefusesAnArrayFilterWithACapital", R"([{"_id":1,"a":[1]}])", "update",
       R"({"filter":{},"update":{"$set":{"a.$[X]":1}},"arrayFilters":[{"X":1}]})", "!found 'X'"},
      {"RefusesAPlaceholderInFront", "[]", "update", R"({"filter":{},"update":{"$set":{"$":1}}})",
       "!first position"},
      {"RefusesAnArrayPlaceholderInFront", "[]", "update", R"({"filter":{},"update":{"$set":{"$[].a":1}}})",
       "!first position"},
      {"RefusesNotInPull", "[]", "update", R"({"filter":{},"update":{"$pull":{"a":{"$not":{"$gt":1}}}}})",
       "!unknown top level operator: $not"},
      {"RefusesARangeOfAnExpression", "[]", "find",
       R"({"filter":{"a":{"$gt":{"$regularExpression":{"pattern":"a","options":""}}}}})",
       "!Can't have RegEx"},
      {"RefusesARangeDownToAnExpression", "[]", "find",
       R"({"filter":{"a":{"$lte":{"$regularExpression":{"pattern":"a","options":""}}}}})",
       "!Can't have RegEx"},
      {"RefusesAQueryForUndefined", "[]", "find", R"({"filter":{"a":{"$undefined":true}}})", "!undefined"},
      {"RefusesARangeOfUndefined", "[]", "find", R"({"filter":{"a":{"$gte":{"$undefined":true}}}})",
       "!undefined"},
      {"RefusesUndefinedAmongOthers", "[]", "find", R"({"filter":{"a":{"$in":[1,{"$undefined":true}]}}})",
       "!undefined"},
      {"RefusesAProjectionWithAnEmptyName", "[]", "find", R"({"projection":{"a..b":1}})", "!empty"},
      {"RefusesAProjectionThatEndsInADot", "[]", "find", R"({"projection":{"a.":0}})", "!empty"},
      {"RefusesToAddNothing", "[]", "aggregate", R"({"pipeline":[{"$addFields":{}}]})",
       "!at least one field"},
      {"RefusesToUnsetNothing", "[]", "aggregate", R"({"pipeline":[{"$unset":[]}]})", "!at least one field"},
      {"RefusesToUnwindAnEmptyName", "[]", "aggregate", R"({"pipeline":[{"$unwind":"$a..b"}]})",
       "!FieldPath"},
      {"RefusesToUnwindAVariable", "[]", "aggregate", R"({"pipeline":[{"$unwind":"$$ROOT"}]})", "!FieldPath"},
      {"RefusesAGroupsFieldThatLooksLikeAnOperator", "[]", "aggregate",
       R"({"pipeline":[{"$group":{"_id":null,"$n":{"$sum":1}}}]})", "!$n"},
      {"RefusesMoreThanANewRoot", "[]", "aggregate",
       R"({"pipeline":[{"$replaceRoot":{"newRoot":"$a","x":1}}]})", "!$replaceRoot"},
  };
  return cases;
}

}  // namespace keyturn::server::conformance
