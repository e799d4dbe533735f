// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/number_sum.hpp"

#include <cmath>
#include <limits>

namespace keyturn::server::documents {
namespace {

template <class T, class Wide>
bool fits(Wide number) {
  return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
}

}  // namespace

void NumberSum::add(const Ejson& number) {
  if (const auto* real = number.get_if<double>()) {
    has_double_ = true;
    add_double(*real);
    return;
  }
  has_int64_ = has_int64_ || number.get_if<std::int64_t>() != nullptr;
  whole_ += number.to_int64().value_or(0);
}

// Knuth's two-sum: `sum_` is rounded, and what that left out goes to `rest_`.
void NumberSum::add_double(double number) {
  plain_ += number;
  const double rounded = sum_ + number;
  const double from_sum = rounded - number;
  const double from_number = rounded - from_sum;
  rest_ += (sum_ - from_sum) + (number - from_number);
  sum_ = rounded;
}

double NumberSum::to_double() const {
  if (!has_double_) return static_cast<double>(whole_);
  NumberSum all = *this;
  const auto high = static_cast<double>(whole_);
  if (std::isfinite(high)) {
    all.add_double(high);
    all.add_double(static_cast<double>(whole_ - static_cast<Wide>(high)));
  }
  const double compensated = all.sum_ + all.rest_;
  return std::isnan(compensated) ? all.plain_ : compensated;
}

Ejson NumberSum::value() const {
  if (has_double_ || !fits<std::int64_t>(whole_)) return to_double();
  if (!has_int64_ && fits<std::int32_t>(whole_)) return static_cast<std::int32_t>(whole_);
  return static_cast<std::int64_t>(whole_);
}

}  // namespace keyturn::server::documents
