// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <keyturn/base/result.hpp>

namespace keyturn {

class Ejson;

/// 12 bytes that name a document (BSON type 7).
struct ObjectId {
  std::array<std::uint8_t, 12> bytes{};
  /// 24 hexadecimal characters; nothing for another text.
  static std::optional<ObjectId> from_hex(std::string_view hex);
  [[nodiscard]] std::string to_hex() const;
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

/// A decimal floating-point number of 34 digits (IEEE 754-2008, BSON type 19) as its 128 bits.
struct Decimal128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  static std::optional<Decimal128> from_string(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Decimal128&, const Decimal128&) = default;
};

struct BsonBinary {
  std::string bytes;
  std::uint8_t subtype = 0;
  friend bool operator==(const BsonBinary&, const BsonBinary&) = default;
};
/// A regular expression (BSON type 11); the letters of its options are in order when it was read.
struct BsonRegex {
  std::string pattern;
  std::string options;
  friend bool operator==(const BsonRegex&, const BsonRegex&) = default;
};
struct BsonTimestamp {
  std::uint32_t seconds = 0;
  std::uint32_t increment = 0;
  friend auto operator<=>(const BsonTimestamp&, const BsonTimestamp&) = default;
};
/// Milliseconds since 1970-01-01 UTC (BSON type 9).
struct BsonDate {
  std::int64_t milliseconds = 0;
  friend auto operator<=>(const BsonDate&, const BsonDate&) = default;
};
struct BsonMinKey {
  friend bool operator==(BsonMinKey, BsonMinKey) = default;
};
struct BsonMaxKey {
  friend bool operator==(BsonMaxKey, BsonMaxKey) = default;
};
/// What JavaScript's `undefined` becomes on the wire: `{"$undefined":true}`.
struct BsonUndefined {
  friend bool operator==(BsonUndefined, BsonUndefined) = default;
};

/// The members of a document in their order; names are unique.
class EjsonDocument {
 public:
  using Member = std::pair<std::string, Ejson>;
  EjsonDocument() = default;
  EjsonDocument(std::initializer_list<Member> members);
  [[nodiscard]] const Ejson* find(std::string_view name) const noexcept;
  [[nodiscard]] Ejson* find(std::string_view name) noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// Adds the member or replaces its value in place.
  Ejson& set(std::string name, Ejson value);
  bool erase(std::string_view name);
  /// Adds a member whose name is known to be new: does not look for it.
  void append(std::string name, Ejson value);
  void reserve(std::size_t members);
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::vector<Member>::const_iterator begin() const noexcept;
  [[nodiscard]] std::vector<Member>::const_iterator end() const noexcept;
  friend bool operator==(const EjsonDocument& a, const EjsonDocument& b);

 private:
  std::vector<Member> members_;
};
using EjsonArray = std::vector<Ejson>;

/// One value with its exact BSON type, and its text form, MongoDB Extended JSON v2.
///
/// Equality is of type and value: Int32 1 is not Int64 1. Thread safety: a plain value.
class Ejson {
 public:
  using Variant = std::variant<std::nullptr_t, bool, std::int32_t, std::int64_t, double, Decimal128,
                               std::string, EjsonDocument, EjsonArray, BsonBinary, ObjectId, BsonDate,
                               BsonRegex, BsonTimestamp, BsonMinKey, BsonMaxKey, BsonUndefined>;

  Ejson() : value_(nullptr) {}
  Ejson(std::nullptr_t)
      : value_(nullptr) {}  // NOLINT(google-explicit-constructor): a value is what it holds, here and below
  Ejson(bool value) : value_(value) {}                         // NOLINT
  Ejson(std::int32_t value) : value_(value) {}                 // NOLINT
  Ejson(std::int64_t value) : value_(value) {}                 // NOLINT
  Ejson(double value) : value_(value) {}                       // NOLINT
  Ejson(Decimal128 value) : value_(std::move(value)) {}        // NOLINT
  Ejson(std::string value) : value_(std::move(value)) {}       // NOLINT
  Ejson(EjsonDocument value) : value_(std::move(value)) {}     // NOLINT
  Ejson(EjsonArray value) : value_(std::move(value)) {}        // NOLINT
  Ejson(BsonBinary value) : value_(std::move(value)) {}        // NOLINT
  Ejson(ObjectId value) : value_(std::move(value)) {}          // NOLINT
  Ejson(BsonDate value) : value_(std::move(value)) {}          // NOLINT
  Ejson(BsonRegex value) : value_(std::move(value)) {}         // NOLINT
  Ejson(BsonTimestamp value) : value_(std::move(value)) {}     // NOLINT
  Ejson(BsonMinKey value) : value_(std::move(value)) {}        // NOLINT
  Ejson(BsonMaxKey value) : value_(std::move(value)) {}        // NOLINT
  Ejson(BsonUndefined value) : value_(std::move(value)) {}     // NOLINT
  Ejson(std::string_view text) : value_(std::string(text)) {}  // NOLINT
  Ejson(const char* text) : value_(std::string(text)) {}       // NOLINT

  /// Reads canonical, relaxed or plain JSON. A plain integer becomes Int32 when it fits, else Int64, else
  /// Double (the relaxed format's rule). `max_values` bounds the memory that a text takes. Errors:
  /// `MalformedJson` naming the fault, never the content.
  static Result<Ejson> parse(std::string_view text, std::size_t max_values = 5'000'000);
  /// The canonical format: types survive a round trip.
  [[nodiscard]] std::string to_canonical() const;
  /// The relaxed format: plain numbers and ISO dates where they are exact.
  [[nodiscard]] std::string to_relaxed() const;

  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&value_);
  }
  template <class T>
  [[nodiscard]] T* get_if() noexcept {
    return std::get_if<T>(&value_);
  }
  [[nodiscard]] const Variant& value() const noexcept { return value_; }
  [[nodiscard]] bool is_null() const noexcept { return value_.index() == 0; }
  /// A member of a document; null when this is no document or has none of that name.
  [[nodiscard]] const Ejson* find(std::string_view name) const noexcept;
  /// The number when this is Int32 or Int64, or a Double or Decimal128 that is integral and fits.
  [[nodiscard]] std::optional<std::int64_t> to_int64() const noexcept;
  [[nodiscard]] std::optional<double> to_double() const noexcept;

  friend bool operator==(const Ejson& a, const Ejson& b) { return a.value_ == b.value_; }

 private:
  Variant value_;
};

// Here, because a vector of an incomplete type may be named but not used.
inline bool EjsonDocument::empty() const noexcept { return members_.empty(); }
inline void EjsonDocument::append(std::string name, Ejson value) {
  members_.emplace_back(std::move(name), std::move(value));
}
inline void EjsonDocument::reserve(std::size_t members) { members_.reserve(members); }
inline std::size_t EjsonDocument::size() const noexcept { return members_.size(); }
inline std::vector<EjsonDocument::Member>::const_iterator EjsonDocument::begin() const noexcept {
  return members_.begin();
}
inline std::vector<EjsonDocument::Member>::const_iterator EjsonDocument::end() const noexcept {
  return members_.end();
}
inline bool operator==(const EjsonDocument& a, const EjsonDocument& b) { return a.members_ == b.members_; }

}  // namespace keyturn
