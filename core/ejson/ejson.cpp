// SPDX-License-Identifier: Apache-2.0
#include <bson/bson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <keyturn/ejson.hpp>

namespace keyturn {

std::optional<ObjectId> ObjectId::from_hex(std::string_view hex) {
  if (!bson_oid_is_valid(hex.data(), hex.size()) || hex.size() != 24) return std::nullopt;
  bson_oid_t oid;
  const std::string text(hex);
  bson_oid_init_from_string(&oid, text.c_str());
  ObjectId id;
  std::copy(std::begin(oid.bytes), std::end(oid.bytes), id.bytes.begin());
  return id;
}

std::string ObjectId::to_hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(24);
  for (const std::uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::optional<Decimal128> Decimal128::from_string(std::string_view text) {
  bson_decimal128_t decimal;
  if (text.empty() || text.size() > std::numeric_limits<int>::max() ||
      !bson_decimal128_from_string_w_len(text.data(), static_cast<int>(text.size()), &decimal)) {
    return std::nullopt;
  }
  return Decimal128{decimal.high, decimal.low};
}

std::string Decimal128::to_string() const {
  bson_decimal128_t decimal;
  decimal.high = high;
  decimal.low = low;
  char text[BSON_DECIMAL128_STRING];
  bson_decimal128_to_string(&decimal, text);
  return text;
}

EjsonDocument::EjsonDocument(std::initializer_list<Member> members) {
  for (const Member& member : members) set(member.first, member.second);
}

const Ejson* EjsonDocument::find(std::string_view name) const noexcept {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Ejson* EjsonDocument::find(std::string_view name) noexcept {
  return const_cast<Ejson*>(static_cast<const EjsonDocument*>(this)->find(name));
}

Ejson& EjsonDocument::set(std::string name, Ejson value) {
  if (Ejson* there = find(name)) {
    *there = std::move(value);
    return *there;
  }
  return members_.emplace_back(std::move(name), std::move(value)).second;
}

bool EjsonDocument::erase(std::string_view name) {
  const auto at = std::find_if(members_.begin(), members_.end(),
                               [&](const Member& member) { return member.first == name; });
  if (at == members_.end()) return false;
  members_.erase(at);
  return true;
}

const Ejson* Ejson::find(std::string_view name) const noexcept {
  const auto* document = get_if<EjsonDocument>();
  return document == nullptr ? nullptr : document->find(name);
}

std::optional<std::int64_t> Ejson::to_int64() const noexcept {
  if (const auto* i = get_if<std::int32_t>()) return *i;
  if (const auto* i = get_if<std::int64_t>()) return *i;
  std::optional<double> number;
  if (const auto* d = get_if<double>()) number = *d;
  if (get_if<Decimal128>() != nullptr) number = to_double();
  constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;
  if (!number || std::trunc(*number) != *number || *number < -kTwoTo63 || *number >= kTwoTo63)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> Ejson::to_double() const noexcept {
  if (const auto* d = get_if<double>()) return *d;
  if (const auto* i = get_if<std::int32_t>()) return *i;
  if (const auto* i = get_if<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* decimal = get_if<Decimal128>()) {
    const std::string text = decimal->to_string();
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  return std::nullopt;
}

}  // namespace keyturn
