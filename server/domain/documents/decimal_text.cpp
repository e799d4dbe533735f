// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/decimal_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace keyturn::server::documents {
namespace {

std::string text_of(const Ejson& value) {
  if (const auto* decimal = value.get_if<Decimal128>()) return decimal->to_string();
  const auto* number = value.get_if<double>();
  if (number == nullptr) return std::to_string(*value.to_int64());
  if (std::isnan(*number)) return "NaN";
  if (std::isinf(*number)) return *number > 0 ? "Infinity" : "-Infinity";
  std::array<char, 64> text{};
  // 34 digits hold every integer that a Double and an Int64 can both be.
  const int length = std::snprintf(text.data(), text.size(), "%.33e", *number);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

DecimalText read_number(const Ejson& value) {
  const std::string text = text_of(value);
  DecimalText number;
  std::size_t i = 0;
  if (text[i] == '-') {
    number.negative = true;
    ++i;
  }
  if (text[i] == 'N' || text[i] == 'I') {
    number.special = text[i] == 'N' ? 'N' : (number.negative ? '-' : '+');
    return number;
  }
  long point = 0;
  bool seen_point = false;
  for (; i < text.size() && text[i] != 'E' && text[i] != 'e'; ++i) {
    if (text[i] == '.') {
      seen_point = true;
      continue;
    }
    number.digits += text[i];
    if (!seen_point) ++point;
  }
  if (i < text.size()) point += std::strtol(text.c_str() + i + 1, nullptr, 10);
  const std::size_t leading = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, leading);
  number.exponent = point - static_cast<long>(leading);
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  return number;
}

}  // namespace keyturn::server::documents
