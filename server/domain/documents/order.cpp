// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/domain/documents/decimal_text.hpp"

namespace keyturn::server::documents {
namespace {

std::weak_ordering weak(std::strong_ordering order) { return order; }

template <class T>
std::weak_ordering compare_plain(const T& a, const T& b) {
  return a < b ? std::weak_ordering::less
               : (b < a ? std::weak_ordering::greater : std::weak_ordering::equivalent);
}

std::weak_ordering compare_int_double(std::int64_t i, double d) {
  constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;
  if (d >= kTwoTo63) return std::weak_ordering::less;
  if (d < -kTwoTo63) return std::weak_ordering::greater;
  const double whole = std::trunc(d);
  const auto order = compare_plain(i, static_cast<std::int64_t>(whole));  // exact: whole fits
  return order != 0 ? order : compare_plain(0.0, d - whole);
}

std::weak_ordering compare_decimals(const DecimalText& x, const DecimalText& y) {
  const auto sign = [](const DecimalText& n) { return n.digits.empty() ? 0 : (n.negative ? -1 : 1); };
  if (sign(x) != sign(y)) return compare_plain(sign(x), sign(y));
  if (sign(x) == 0) return std::weak_ordering::equivalent;
  const auto magnitude =
      x.exponent != y.exponent ? compare_plain(x.exponent, y.exponent) : compare_plain(x.digits, y.digits);
  return x.negative ? 0 <=> magnitude : magnitude;
}

// NaN comes before everything, then minus infinity, the finite, infinity.
int rank(char special) { return special == 'N' ? 0 : (special == '-' ? 1 : (special == 0 ? 2 : 3)); }

std::weak_ordering compare_numbers(const Ejson& a, const Ejson& b) {
  if (a.get_if<Decimal128>() != nullptr || b.get_if<Decimal128>() != nullptr) {
    const DecimalText x = read_number(a);
    const DecimalText y = read_number(b);
    const auto order = compare_plain(rank(x.special), rank(y.special));
    return order != 0 || x.special != 0 ? order : compare_decimals(x, y);
  }
  const auto* double_a = a.get_if<double>();
  const auto* double_b = b.get_if<double>();
  const bool nan_a = double_a != nullptr && std::isnan(*double_a);
  const bool nan_b = double_b != nullptr && std::isnan(*double_b);
  if (nan_a || nan_b) return compare_plain(!nan_a, !nan_b);
  if (double_a != nullptr && double_b != nullptr) return compare_plain(*double_a, *double_b);
  if (double_b != nullptr) return compare_int_double(*a.to_int64(), *double_b);
  if (double_a != nullptr) return 0 <=> compare_int_double(*b.to_int64(), *double_a);
  return compare_plain(*a.to_int64(), *b.to_int64());
}

std::weak_ordering compare_documents(const EjsonDocument& a, const EjsonDocument& b) {
  auto at_a = a.begin();
  auto at_b = b.begin();
  for (; at_a != a.end() && at_b != b.end(); ++at_a, ++at_b) {
    if (const auto order = compare_plain(type_bracket(at_a->second), type_bracket(at_b->second)); order != 0)
      return order;
    if (const auto order = weak(at_a->first.compare(at_b->first) <=> 0); order != 0) return order;
    if (const auto order = compare(at_a->second, at_b->second); order != 0) return order;
  }
  return compare_plain(a.size(), b.size());
}

std::weak_ordering compare_arrays(const EjsonArray& a, const EjsonArray& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const auto order = compare(a[i], b[i]); order != 0) return order;
  }
  return compare_plain(a.size(), b.size());
}

std::weak_ordering compare_binaries(const BsonBinary& a, const BsonBinary& b) {
  if (a.bytes.size() != b.bytes.size()) return compare_plain(a.bytes.size(), b.bytes.size());
  if (a.subtype != b.subtype) return compare_plain(a.subtype, b.subtype);
  return weak(a.bytes.compare(b.bytes) <=> 0);
}

// Both are of the same bracket; those without a case have one value only.
struct SameBracket {
  const Ejson& a;
  const Ejson& b;

  template <class T>
  std::weak_ordering operator()(const T&) const {
    return std::weak_ordering::equivalent;
  }
  std::weak_ordering operator()(bool v) const { return compare_plain(v, *b.get_if<bool>()); }
  std::weak_ordering operator()(std::int32_t) const { return compare_numbers(a, b); }
  std::weak_ordering operator()(std::int64_t) const { return compare_numbers(a, b); }
  std::weak_ordering operator()(double) const { return compare_numbers(a, b); }
  std::weak_ordering operator()(const Decimal128&) const { return compare_numbers(a, b); }
  std::weak_ordering operator()(const std::string& v) const {
    return weak(v.compare(*b.get_if<std::string>()) <=> 0);
  }
  std::weak_ordering operator()(const EjsonDocument& v) const {
    return compare_documents(v, *b.get_if<EjsonDocument>());
  }
  std::weak_ordering operator()(const EjsonArray& v) const {
    return compare_arrays(v, *b.get_if<EjsonArray>());
  }
  std::weak_ordering operator()(const BsonBinary& v) const {
    return compare_binaries(v, *b.get_if<BsonBinary>());
  }
  std::weak_ordering operator()(const ObjectId& v) const { return weak(v <=> *b.get_if<ObjectId>()); }
  std::weak_ordering operator()(const BsonDate& v) const { return weak(v <=> *b.get_if<BsonDate>()); }
  std::weak_ordering operator()(const BsonTimestamp& v) const {
    return weak(v <=> *b.get_if<BsonTimestamp>());
  }
  std::weak_ordering operator()(const BsonRegex& v) const {
    const auto& other = *b.get_if<BsonRegex>();
    const auto order = weak(v.pattern.compare(other.pattern) <=> 0);
    return order != 0 ? order : weak(v.options.compare(other.options) <=> 0);
  }
};

struct Bracket {
  int operator()(BsonMinKey) const { return 0; }
  int operator()(BsonUndefined) const { return 1; }
  int operator()(std::nullptr_t) const { return 1; }
  int operator()(std::int32_t) const { return 2; }
  int operator()(std::int64_t) const { return 2; }
  int operator()(double) const { return 2; }
  int operator()(const Decimal128&) const { return 2; }
  int operator()(const std::string&) const { return 3; }
  int operator()(const EjsonDocument&) const { return 4; }
  int operator()(const EjsonArray&) const { return 5; }
  int operator()(const BsonBinary&) const { return 6; }
  int operator()(const ObjectId&) const { return 7; }
  int operator()(bool) const { return 8; }
  int operator()(const BsonDate&) const { return 9; }
  int operator()(const BsonTimestamp&) const { return 10; }
  int operator()(const BsonRegex&) const { return 11; }
  int operator()(BsonMaxKey) const { return 12; }
};

}  // namespace

int type_bracket(const Ejson& value) noexcept { return std::visit(Bracket{}, value.value()); }

bool is_number(const Ejson& value) noexcept { return type_bracket(value) == 2; }

std::weak_ordering compare(const Ejson& a, const Ejson& b) {
  if (const auto order = compare_plain(type_bracket(a), type_bracket(b)); order != 0) return order;
  return std::visit(SameBracket{a, b}, a.value());
}

std::optional<Ejson> calculate(Arithmetic operation, const Ejson& a, const Ejson& b) {
  if (!is_number(a) || !is_number(b) || a.get_if<Decimal128>() != nullptr ||
      b.get_if<Decimal128>() != nullptr)
    return std::nullopt;
  if (a.get_if<double>() != nullptr || b.get_if<double>() != nullptr) {
    const double x = *a.to_double();
    const double y = *b.to_double();
    return Ejson(operation == Arithmetic::sum ? x + y : x * y);
  }
  const std::int64_t x = *a.to_int64();
  const std::int64_t y = *b.to_int64();
  std::int64_t result = 0;
  const bool overflow = operation == Arithmetic::sum ? __builtin_add_overflow(x, y, &result)
                                                     : __builtin_mul_overflow(x, y, &result);
  if (overflow) return std::nullopt;
  const bool narrow = a.get_if<std::int32_t>() != nullptr && b.get_if<std::int32_t>() != nullptr &&
                      result >= std::numeric_limits<std::int32_t>::min() &&
                      result <= std::numeric_limits<std::int32_t>::max();
  return narrow ? Ejson(static_cast<std::int32_t>(result)) : Ejson(result);
}

}  // namespace keyturn::server::documents
