// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>

#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// MongoDB's order of all values (manual: "Comparison/Sort Order"): MinKey, undefined and null, numbers,
/// strings, documents, arrays, binary, ObjectId, booleans, dates, timestamps, regular expressions, MaxKey.
/// Numbers of any type compare by value, NaN below all others; documents by their members in order; strings
/// by their bytes. A total order: equal means that neither comes first, so Int32 1 and Double 1.0 are equal
/// here.
[[nodiscard]] std::weak_ordering compare(const Ejson& a, const Ejson& b);

/// The place of a value's type in that order. Values of different brackets never match `$gt` and its kin.
[[nodiscard]] int type_bracket(const Ejson& value) noexcept;

[[nodiscard]] inline bool equal(const Ejson& a, const Ejson& b) { return compare(a, b) == 0; }

/// For sorted containers.
struct Less {
  bool operator()(const Ejson& a, const Ejson& b) const { return compare(a, b) < 0; }
};

[[nodiscard]] bool is_number(const Ejson& value) noexcept;

/// The exact product or sum of two numbers in the type that MongoDB gives it: Int32 widens to Int64 when it
/// overflows, anything with a Double is a Double. Nothing when there is a Decimal128 (the embedded engine has
/// no decimal arithmetic) or when an Int64 would overflow.
enum class Arithmetic { sum, product };
[[nodiscard]] std::optional<Ejson> calculate(Arithmetic operation, const Ejson& a, const Ejson& b);

}  // namespace keyturn::server::documents
