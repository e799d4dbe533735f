// SPDX-License-Identifier: Apache-2.0
#include "core/ejson/bson.hpp"

#include <bson/bson.h>

#include <algorithm>

namespace keyturn::ejson {
namespace {

struct OwnedBson {
  OwnedBson() = default;
  OwnedBson(const OwnedBson&) = delete;
  OwnedBson& operator=(const OwnedBson&) = delete;
  ~OwnedBson() { bson_destroy(bytes); }
  bson_t* bytes = bson_new();
};

bool append_document(bson_t* out, const EjsonDocument& document);
bool append_array(bson_t* out, const EjsonArray& array);

struct Appender {
  bson_t* out;
  const char* name;
  int length;

  bool operator()(std::nullptr_t) const { return bson_append_null(out, name, length); }
  bool operator()(bool v) const { return bson_append_bool(out, name, length, v); }
  bool operator()(std::int32_t v) const { return bson_append_int32(out, name, length, v); }
  bool operator()(std::int64_t v) const { return bson_append_int64(out, name, length, v); }
  bool operator()(double v) const { return bson_append_double(out, name, length, v); }
  bool operator()(const Decimal128& v) const {
    bson_decimal128_t decimal;
    decimal.high = v.high;
    decimal.low = v.low;
    return bson_append_decimal128(out, name, length, &decimal);
  }
  bool operator()(const std::string& v) const {
    return bson_append_utf8(out, name, length, v.data(), static_cast<int>(v.size()));
  }
  bool operator()(const EjsonDocument& v) const {
    bson_t child;
    return bson_append_document_begin(out, name, length, &child) && append_document(&child, v) &&
           bson_append_document_end(out, &child);
  }
  bool operator()(const EjsonArray& v) const {
    bson_t child;
    return bson_append_array_begin(out, name, length, &child) && append_array(&child, v) &&
           bson_append_array_end(out, &child);
  }
  bool operator()(const BsonBinary& v) const {
    return bson_append_binary(out, name, length, static_cast<bson_subtype_t>(v.subtype),
                              reinterpret_cast<const std::uint8_t*>(v.bytes.data()),
                              static_cast<std::uint32_t>(v.bytes.size()));
  }
  bool operator()(const ObjectId& v) const {
    bson_oid_t oid;
    std::copy(v.bytes.begin(), v.bytes.end(), std::begin(oid.bytes));
    return bson_append_oid(out, name, length, &oid);
  }
  bool operator()(const BsonDate& v) const {
    return bson_append_date_time(out, name, length, v.milliseconds);
  }
  bool operator()(const BsonRegex& v) const {
    if (v.pattern.find('\0') != std::string::npos || v.options.find('\0') != std::string::npos) return false;
    return bson_append_regex(out, name, length, v.pattern.c_str(), v.options.c_str());
  }
  bool operator()(const BsonTimestamp& v) const {
    return bson_append_timestamp(out, name, length, v.seconds, v.increment);
  }
  bool operator()(BsonMinKey) const { return bson_append_minkey(out, name, length); }
  bool operator()(BsonMaxKey) const { return bson_append_maxkey(out, name, length); }
  bool operator()(BsonUndefined) const { return bson_append_undefined(out, name, length); }
};

bool append(bson_t* out, const std::string& name, const Ejson& value) {
  if (name.find('\0') != std::string::npos) return false;
  return std::visit(Appender{out, name.c_str(), static_cast<int>(name.size())}, value.value());
}

bool append_document(bson_t* out, const EjsonDocument& document) {
  return std::all_of(document.begin(), document.end(),
                     [&](const auto& member) { return append(out, member.first, member.second); });
}

bool append_array(bson_t* out, const EjsonArray& array) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!append(out, std::to_string(i), array[i])) return false;
  }
  return true;
}

Error damaged(std::string_view what) { return Error(ErrorCode::BadRequest, "BSON: " + std::string(what)); }

// libbson checks the text of values only, and takes a NUL byte inside one for damage although BSON allows it.
bool is_utf8(std::string_view text) { return bson_utf8_validate(text.data(), text.size(), true); }

Result<EjsonDocument> read_document(bson_iter_t* at, int depth);
Result<EjsonArray> read_array(bson_iter_t* at, int depth);

Result<Ejson> read_value(bson_iter_t* at, int depth) {
  switch (bson_iter_type(at)) {
    case BSON_TYPE_NULL:
      return Ejson(nullptr);
    case BSON_TYPE_BOOL:
      return Ejson(bson_iter_bool(at));
    case BSON_TYPE_INT32:
      return Ejson(bson_iter_int32(at));
    case BSON_TYPE_INT64:
      return Ejson(static_cast<std::int64_t>(bson_iter_int64(at)));
    case BSON_TYPE_DOUBLE:
      return Ejson(bson_iter_double(at));
    case BSON_TYPE_DATE_TIME:
      return Ejson(BsonDate{bson_iter_date_time(at)});
    case BSON_TYPE_MINKEY:
      return Ejson(BsonMinKey{});
    case BSON_TYPE_MAXKEY:
      return Ejson(BsonMaxKey{});
    case BSON_TYPE_UNDEFINED:
      return Ejson(BsonUndefined{});
    case BSON_TYPE_DECIMAL128: {
      bson_decimal128_t decimal;
      bson_iter_decimal128(at, &decimal);
      return Ejson(Decimal128{decimal.high, decimal.low});
    }
    case BSON_TYPE_UTF8:
    case BSON_TYPE_SYMBOL: {
      std::uint32_t length = 0;
      const char* text =
          bson_iter_type(at) == BSON_TYPE_UTF8 ? bson_iter_utf8(at, &length) : bson_iter_symbol(at, &length);
      if (!is_utf8({text, length})) return damaged("text that is not UTF-8");
      return Ejson(std::string(text, length));
    }
    case BSON_TYPE_BINARY: {
      bson_subtype_t subtype{};
      std::uint32_t length = 0;
      const std::uint8_t* bytes = nullptr;
      bson_iter_binary(at, &subtype, &length, &bytes);
      return Ejson(BsonBinary{std::string(reinterpret_cast<const char*>(bytes), length),
                              static_cast<std::uint8_t>(subtype)});
    }
    case BSON_TYPE_OID: {
      ObjectId id;
      const bson_oid_t* oid = bson_iter_oid(at);
      std::copy(std::begin(oid->bytes), std::end(oid->bytes), id.bytes.begin());
      return Ejson(id);
    }
    case BSON_TYPE_REGEX: {
      const char* options = nullptr;
      const char* pattern = bson_iter_regex(at, &options);
      if (!is_utf8(pattern) || !is_utf8(options)) return damaged("text that is not UTF-8");
      std::string sorted(options);
      std::sort(sorted.begin(), sorted.end());
      return Ejson(BsonRegex{pattern, std::move(sorted)});
    }
    case BSON_TYPE_TIMESTAMP: {
      BsonTimestamp timestamp;
      bson_iter_timestamp(at, &timestamp.seconds, &timestamp.increment);
      return Ejson(timestamp);
    }
    case BSON_TYPE_DOCUMENT: {
      bson_iter_t child;
      if (depth <= 0 || !bson_iter_recurse(at, &child)) return damaged("too deep or damaged");
      auto document = read_document(&child, depth - 1);
      if (!document) return document.error();
      return Ejson(std::move(*document));
    }
    case BSON_TYPE_ARRAY: {
      bson_iter_t child;
      if (depth <= 0 || !bson_iter_recurse(at, &child)) return damaged("too deep or damaged");
      auto array = read_array(&child, depth - 1);
      if (!array) return array.error();
      return Ejson(std::move(*array));
    }
    default:
      return damaged("a type that is not supported");
  }
}

Result<EjsonDocument> read_document(bson_iter_t* at, int depth) {
  EjsonDocument document;
  while (bson_iter_next(at)) {
    auto value = read_value(at, depth);
    if (!value) return value.error();
    if (!is_utf8(bson_iter_key(at))) return damaged("a name that is not UTF-8");
    document.set(bson_iter_key(at), std::move(*value));
  }
  return document;
}

Result<EjsonArray> read_array(bson_iter_t* at, int depth) {
  EjsonArray array;
  while (bson_iter_next(at)) {
    auto value = read_value(at, depth);
    if (!value) return value.error();
    array.push_back(std::move(*value));
  }
  return array;
}

}  // namespace

Result<std::string> to_bson(const EjsonDocument& document) {
  const OwnedBson out;
  if (!append_document(out.bytes, document))
    return damaged("a name or pattern with a NUL byte, or too large");
  return std::string(reinterpret_cast<const char*>(bson_get_data(out.bytes)), out.bytes->len);
}

Result<EjsonDocument> from_bson(std::string_view bytes) {
  bson_t view;
  std::size_t fault = 0;
  if (!bson_init_static(&view, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) ||
      !bson_validate(&view, BSON_VALIDATE_NONE, &fault)) {
    return damaged("damaged");
  }
  bson_iter_t at;
  if (!bson_iter_init(&at, &view)) return damaged("damaged");
  return read_document(&at, kMaxDepth);
}

}  // namespace keyturn::ejson
