// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <keyturn/ejson.hpp>

#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/regex.hpp"

// The compiled form of a query, shared by its compiler (filter_compile.cpp) and its evaluation (filter.cpp).
namespace keyturn::server::documents {

/// One operator on one path.
struct Test {
  enum class Kind { eq, gt, gte, lt, lte, in, regex, exists, type, size, element, all };
  Kind kind = Kind::eq;
  bool negated = false;  ///< `$ne`, `$nin`, `$not`, `$exists: false`: true when no value at the path passes.
  Path path{""};
  Ejson operand;
  EjsonArray operands;
  std::vector<Regex> patterns;
  std::vector<int> types;
  std::vector<Test> tests;                    ///< Of `$all`, and of `$elemMatch` with operators.
  std::shared_ptr<const Filter::Node> child;  ///< Of `$elemMatch` with a query.
};

struct Filter::Node {
  enum class Kind { both, either, neither, test };
  Kind kind = Kind::both;
  std::vector<Node> children;
  std::shared_ptr<const Test> test;
  // Of the root only.
  std::vector<std::pair<std::string, Ejson>> equalities;
  std::vector<std::pair<std::string, EjsonArray>> candidates;
};

/// The number of a value's BSON type (bsonspec.org).
[[nodiscard]] int bson_type(const Ejson& value) noexcept;

[[nodiscard]] Filter::Match evaluate_test(const Test& test, const EjsonDocument& document);
[[nodiscard]] Filter::Match evaluate(const Filter::Node& node, const EjsonDocument& document);

}  // namespace keyturn::server::documents
