// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/arithmetic.hpp"

#include <cstdint>
#include <limits>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

using Evaluated = Result<std::optional<Ejson>>;

bool is_nullish(const std::optional<Ejson>& value) {
  return !value || value->is_null() || value->get_if<BsonUndefined>() != nullptr;
}

Ejson int32_or_int64(std::int64_t number) {
  const bool fits = number >= std::numeric_limits<std::int32_t>::min() &&
                    number <= std::numeric_limits<std::int32_t>::max();
  return fits ? Ejson(static_cast<std::int32_t>(number)) : Ejson(number);
}

/// A sum or a product, step by step: integers until there is a Double or one does not fit any more.
class Accumulation {
 public:
  explicit Accumulation(bool adds) : adds_(adds), whole_(adds ? 0 : 1), real_(adds ? 0.0 : 1.0) {}

  void take(const Ejson& number) {
    if (number.get_if<double>() != nullptr && kind_ != Kind::real) widen();
    if (number.get_if<std::int64_t>() != nullptr && kind_ == Kind::int32) kind_ = Kind::int64;
    if (kind_ != Kind::real && !take_whole(*number.to_int64())) widen();
    // A product of Doubles goes along from the start; a sum begins with the integers so far.
    if (!adds_) real_ *= *number.to_double();
    if (adds_ && kind_ == Kind::real) real_ += *number.to_double();
  }

  [[nodiscard]] Ejson value() const {
    if (kind_ == Kind::real) return real_;
    return kind_ == Kind::int64 ? Ejson(whole_) : int32_or_int64(whole_);
  }

 private:
  enum class Kind { int32, int64, real };

  bool take_whole(std::int64_t number) {
    std::int64_t next = 0;
    const bool overflows =
        adds_ ? __builtin_add_overflow(whole_, number, &next) : __builtin_mul_overflow(whole_, number, &next);
    if (!overflows) whole_ = next;
    return !overflows;
  }
  void widen() {
    kind_ = Kind::real;
    if (adds_) real_ = static_cast<double>(whole_);
  }

  bool adds_;
  std::int64_t whole_;
  double real_;
  Kind kind_ = Kind::int32;
};

Evaluated difference(const Ejson& a, const Ejson& b) {
  if (a.get_if<double>() != nullptr || b.get_if<double>() != nullptr)
    return std::optional<Ejson>(*a.to_double() - *b.to_double());
  std::int64_t result = 0;
  if (__builtin_sub_overflow(*a.to_int64(), *b.to_int64(), &result))
    return outside_the_subset("$subtract of integers whose difference needs more than an Int64");
  const bool narrow = a.get_if<std::int32_t>() != nullptr && b.get_if<std::int32_t>() != nullptr;
  return std::optional<Ejson>(narrow ? int32_or_int64(result) : Ejson(result));
}

}  // namespace

Evaluated evaluate_arithmetic(const std::string& name, const std::vector<std::optional<Ejson>>& arguments) {
  for (const auto& value : arguments) {
    if (is_nullish(value)) return std::optional<Ejson>(Ejson());
    if (value->get_if<BsonDate>() != nullptr) return outside_the_subset(name + " of a date");
    if (value->get_if<Decimal128>() != nullptr) return outside_the_subset(name + " of a Decimal128");
    if (!is_number(*value)) return refused(name + " only supports numeric types here");
  }
  if (name == "$subtract") return difference(*arguments[0], *arguments[1]);
  if (name == "$divide") {
    if (*arguments[1]->to_double() == 0) return refused("can't $divide by zero");
    return std::optional<Ejson>(*arguments[0]->to_double() / *arguments[1]->to_double());
  }
  Accumulation result(name == "$add");
  for (const auto& value : arguments) result.take(*value);
  return std::optional<Ejson>(result.value());
}

}  // namespace keyturn::server::documents
