// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// A number as 0.digits x 10^exponent, without leading or trailing zeros; empty digits: zero. A Double is
/// taken at the 34 digits of a Decimal128, which is where MongoDB compares the two.
struct DecimalText {
  char special = 0;  ///< 'N' not a number, '+' and '-' the infinities.
  bool negative = false;
  std::string digits;
  long exponent = 0;
};

/// `value` must be a number.
[[nodiscard]] DecimalText read_number(const Ejson& value);

}  // namespace keyturn::server::documents
