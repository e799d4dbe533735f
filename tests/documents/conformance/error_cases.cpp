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
  };
  return cases;
}

}  // namespace keyturn::server::conformance
