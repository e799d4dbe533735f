// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/equality_key.hpp"

#include <cmath>

#include "server/domain/documents/decimal_text.hpp"
#include "server/domain/documents/order.hpp"

namespace keyturn::server::documents {
namespace {

// Length first, so that no text can be mistaken for the end of another.
void append_bytes(std::string& key, std::string_view bytes) {
  key += std::to_string(bytes.size());
  key += ':';
  key += bytes;
}

void append(std::string& key, const Ejson& value);

struct Appender {
  std::string& key;
  const Ejson& value;

  template <class T>
  void operator()(const T&) const {}  // the bracket says all
  void operator()(bool v) const { key += v ? '1' : '0'; }
  void operator()(std::int32_t) const { number(); }
  void operator()(std::int64_t) const { number(); }
  void operator()(double) const { number(); }
  void operator()(const Decimal128&) const { number(); }
  void operator()(const std::string& v) const { append_bytes(key, v); }
  void operator()(const EjsonDocument& v) const {
    for (const auto& [name, inner] : v) {
      append_bytes(key, name);
      append(key, inner);
    }
    key += '.';
  }
  void operator()(const EjsonArray& v) const {
    for (const Ejson& inner : v) append(key, inner);
    key += '.';
  }
  void operator()(const BsonBinary& v) const {
    key += std::to_string(v.subtype) + "/";
    append_bytes(key, v.bytes);
  }
  void operator()(const ObjectId& v) const {
    key.append(reinterpret_cast<const char*>(v.bytes.data()), v.bytes.size());
  }
  void operator()(const BsonDate& v) const { key += std::to_string(v.milliseconds) + ";"; }
  void operator()(const BsonTimestamp& v) const {
    key += std::to_string(v.seconds) + "/" + std::to_string(v.increment) + ";";
  }
  void operator()(const BsonRegex& v) const {
    append_bytes(key, v.pattern);
    append_bytes(key, v.options);
  }

  void number() const {
    const DecimalText text = read_number(value);
    if (text.special != 0) {
      key += text.special;
      return;
    }
    key += text.negative && !text.digits.empty() ? "-" : "";
    append_bytes(key, text.digits);
    key += std::to_string(text.digits.empty() ? 0 : text.exponent) + ";";
  }
};

void append(std::string& key, const Ejson& value) {
  key += static_cast<char>('a' + type_bracket(value));
  std::visit(Appender{key, value}, value.value());
}

}  // namespace

std::string equality_key(const Ejson& value) {
  std::string key;
  append(key, value);
  return key;
}

}  // namespace keyturn::server::documents
