// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/ejson/bson.hpp"

namespace keyturn::server::mongodb {

/// A document as libmongoc takes it.
class Bson {
 public:
  explicit Bson(std::string_view bytes)
      : value_(bson_new_from_data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) {}
  Bson(Bson&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Bson& operator=(Bson&&) = delete;
  ~Bson() { bson_destroy(value_); }
  [[nodiscard]] bson_t* get() const noexcept { return value_; }

 private:
  bson_t* value_;
};

/// Errors: as `ejson::to_bson`.
inline Result<Bson> bson_of(const EjsonDocument& document) {
  auto bytes = ejson::to_bson(document);
  if (!bytes) return bytes.error();
  return Bson(*bytes);
}

/// Errors: as `ejson::from_bson`.
inline Result<EjsonDocument> document_of(const bson_t& value) {
  return ejson::from_bson(std::string_view(reinterpret_cast<const char*>(bson_get_data(&value)), value.len));
}

/// A reply that libmongoc fills in: always destroyed, whatever the call answered.
class Reply {
 public:
  Reply() { bson_init(&value_); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() { bson_destroy(&value_); }
  /// For a call that initializes its reply itself.
  [[nodiscard]] bson_t* out() noexcept { return &value_; }
  [[nodiscard]] const bson_t& get() const noexcept { return value_; }

 private:
  bson_t value_;
};

}  // namespace keyturn::server::mongodb
