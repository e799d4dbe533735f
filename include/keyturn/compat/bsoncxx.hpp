// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <keyturn/ejson.hpp>

namespace realm {

/// A BSON value under the name that the Atlas C++ SDK (2.2) gives it, for arguments and results of functions.
///
/// Holds a `keyturn::Ejson`, which `ejson()` gives: the way to the types that have no conversion here
/// (Decimal128, timestamps, regular expressions, min and max key). A conversion to a type that the value does
/// not have throws `std::runtime_error`. Thread safety: a plain value.
struct bsoncxx {
  using array = std::vector<bsoncxx>;

  enum class type {
    b_null,
    b_int32,
    b_int64,
    b_bool,
    b_double,
    b_string,
    b_binary,
    b_timestamp,
    b_datetime,
    b_objectId,
    b_decimal128,
    b_regular_expression,
    b_max_key,
    b_min_key,
    b_document,
    b_array,
    b_uuid
  };

  /// A point in time, exact to the millisecond.
  struct date {
    explicit date(std::chrono::system_clock::time_point at) : at_(at) {}
    [[nodiscard]] std::chrono::system_clock::time_point get_date() const noexcept { return at_; }

   private:
    std::chrono::system_clock::time_point at_;
  };

  /// Members by name, in order.
  struct document {
    /// What `document[name]` gives: reads as the member, and an assignment sets it. Not kept longer than the
    /// document.
    struct value {
      value& operator=(const bsoncxx& given);
      operator bsoncxx() const;  // NOLINT(google-explicit-constructor): as the original
      const std::string key;

     private:
      friend struct document;
      value(document* owner, std::string name) : key(std::move(name)), owner_(owner) {}
      document* owner_;
    };

    class iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = std::pair<std::string, bsoncxx>;
      using difference_type = std::ptrdiff_t;
      using pointer = void;
      using reference = value_type;
      std::pair<std::string, bsoncxx> operator*() const;
      iterator& operator++() {
        ++at_;
        return *this;
      }
      iterator& operator--() {
        --at_;
        return *this;
      }
      bool operator==(const iterator& other) const noexcept { return at_ == other.at_; }

     private:
      friend struct document;
      explicit iterator(std::vector<keyturn::EjsonDocument::Member>::const_iterator at) : at_(at) {}
      std::vector<keyturn::EjsonDocument::Member>::const_iterator at_;
    };

    document() = default;
    document(std::initializer_list<std::pair<std::string, bsoncxx>> members);
    explicit document(keyturn::EjsonDocument members) : members_(std::move(members)) {}

    void insert(const std::string& key, const bsoncxx& given);
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    value operator[](const std::string& key) { return {this, key}; }
    [[nodiscard]] iterator begin() const { return iterator(members_.begin()); }
    [[nodiscard]] iterator end() const { return iterator(members_.end()); }
    [[nodiscard]] const keyturn::EjsonDocument& ejson() const noexcept { return members_; }
    friend bool operator==(const document& a, const document& b) { return a.members_ == b.members_; }

   private:
    keyturn::EjsonDocument members_;
  };

  bsoncxx() = default;
  bsoncxx(std::int32_t given) : value_(given) {}  // NOLINT(google-explicit-constructor): as the original,
  bsoncxx(std::int64_t given) : value_(given) {}  // NOLINT  here and below
  bsoncxx(bool given) : value_(given) {}          // NOLINT
  bsoncxx(double given) : value_(given) {}        // NOLINT
  bsoncxx(const std::string& given) : value_(given) {}           // NOLINT
  bsoncxx(const char* given) : value_(given) {}                  // NOLINT
  bsoncxx(const document& given) : value_(given.ejson()) {}      // NOLINT
  bsoncxx(keyturn::Ejson given) : value_(std::move(given)) {}    // NOLINT
  bsoncxx(const array& given) : value_(keyturn::EjsonArray{}) {  // NOLINT
    for (const bsoncxx& each : given) value_.get_if<keyturn::EjsonArray>()->push_back(each.value_);
  }
  bsoncxx(const std::vector<std::uint8_t>& given)  // NOLINT
      : value_(keyturn::BsonBinary{std::string(given.begin(), given.end()), 0}) {}
  bsoncxx(const date& given)  // NOLINT
      : value_(keyturn::BsonDate{
            std::chrono::duration_cast<std::chrono::milliseconds>(given.get_date().time_since_epoch())
                .count()}) {}

  [[nodiscard]] type get_type() const;

  operator std::int32_t() const { return held<std::int32_t>(); }  // NOLINT(google-explicit-constructor)
  operator std::int64_t() const { return held<std::int64_t>(); }  // NOLINT
  operator bool() const { return held<bool>(); }                  // NOLINT
  operator double() const { return held<double>(); }              // NOLINT
  operator std::string() const { return held<std::string>(); }    // NOLINT
  operator document() const { return document(held<keyturn::EjsonDocument>()); }  // NOLINT
  operator array() const {                                                        // NOLINT
    const auto& items = held<keyturn::EjsonArray>();
    return {items.begin(), items.end()};
  }
  operator std::vector<std::uint8_t>() const {  // NOLINT
    const auto& bytes = held<keyturn::BsonBinary>().bytes;
    return {bytes.begin(), bytes.end()};
  }
  operator date() const {  // NOLINT
    return date(std::chrono::system_clock::time_point(
        std::chrono::milliseconds{held<keyturn::BsonDate>().milliseconds}));
  }

  /// Canonical Extended JSON.
  [[nodiscard]] std::string to_json() const { return value_.to_canonical(); }
  [[nodiscard]] std::string to_string() const { return value_.to_canonical(); }
  [[nodiscard]] const keyturn::Ejson& ejson() const noexcept { return value_; }

  friend bool operator==(const bsoncxx& a, const bsoncxx& b) { return a.value_ == b.value_; }

 private:
  template <class T>
  const T& held() const {
    const T* found = value_.get_if<T>();
    if (found == nullptr) throw std::runtime_error("the BSON value has another type");
    return *found;
  }

  keyturn::Ejson value_;
};

inline std::pair<std::string, bsoncxx> bsoncxx::document::iterator::operator*() const {
  return {at_->first, bsoncxx(at_->second)};
}
inline bsoncxx::document::document(std::initializer_list<std::pair<std::string, bsoncxx>> members) {
  for (const auto& [name, given] : members) members_.set(name, given.ejson());
}
inline void bsoncxx::document::insert(const std::string& key, const bsoncxx& given) {
  members_.set(key, given.ejson());
}
inline bsoncxx::document::value& bsoncxx::document::value::operator=(const bsoncxx& given) {
  owner_->insert(key, given);
  return *this;
}
inline bsoncxx::document::value::operator bsoncxx() const {
  const keyturn::Ejson* found = owner_->members_.find(key);
  return found == nullptr ? bsoncxx() : bsoncxx(*found);
}

inline bsoncxx::type bsoncxx::get_type() const {
  // In the order of the alternatives of keyturn::Ejson::Variant.
  constexpr type kTypes[] = {type::b_null,
                             type::b_bool,
                             type::b_int32,
                             type::b_int64,
                             type::b_double,
                             type::b_decimal128,
                             type::b_string,
                             type::b_document,
                             type::b_array,
                             type::b_binary,
                             type::b_objectId,
                             type::b_datetime,
                             type::b_regular_expression,
                             type::b_timestamp,
                             type::b_min_key,
                             type::b_max_key,
                             type::b_null};
  static_assert(std::size(kTypes) == std::variant_size_v<keyturn::Ejson::Variant>);
  const auto* binary = value_.get_if<keyturn::BsonBinary>();
  if (binary != nullptr && binary->subtype == 4) return type::b_uuid;
  return kTypes[value_.value().index()];
}

}  // namespace realm
