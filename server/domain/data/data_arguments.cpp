// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/data_arguments.hpp"

#include <string>

#include "server/domain/refusal.hpp"

namespace keyturn::server {

void DataArguments::wrong(std::string_view name, std::string_view what) {
  if (!fault_) fault_ = refusal(ErrorCode::BadRequest, "'" + std::string(name) + "' " + std::string(what));
}

const Ejson* DataArguments::find(std::string_view name) const {
  const Ejson* value = arguments_.find(name);
  const bool is_absent = value == nullptr || value->is_null() || value->get_if<BsonUndefined>() != nullptr;
  return is_absent ? nullptr : value;
}

std::string_view DataArguments::text(std::string_view name) {
  const Ejson* value = find(name);
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  if (text == nullptr || text->empty()) {
    wrong(name, "is a required string");
    return {};
  }
  return *text;
}

EjsonDocument DataArguments::document(std::string_view name, std::string_view other) {
  const Ejson* value = find(name);
  if (value == nullptr && !other.empty()) value = find(other);
  if (value == nullptr) return {};
  const auto* document = value->get_if<EjsonDocument>();
  if (document == nullptr) {
    wrong(name, "must be a document");
    return {};
  }
  return *document;
}

const EjsonDocument* DataArguments::required_document(std::string_view name) {
  const Ejson* value = find(name);
  const auto* document = value == nullptr ? nullptr : value->get_if<EjsonDocument>();
  if (document == nullptr) wrong(name, "is a required document");
  return document;
}

EjsonArray DataArguments::array(std::string_view name) {
  const Ejson* value = find(name);
  if (value == nullptr) return {};
  const auto* array = value->get_if<EjsonArray>();
  if (array == nullptr) {
    wrong(name, "must be an array");
    return {};
  }
  return *array;
}

const EjsonArray* DataArguments::required_array(std::string_view name) {
  const Ejson* value = find(name);
  const auto* array = value == nullptr ? nullptr : value->get_if<EjsonArray>();
  if (array == nullptr) wrong(name, "is a required array");
  return array;
}

bool DataArguments::flag(std::string_view name) {
  const Ejson* value = find(name);
  if (value == nullptr) return false;
  const auto* flag = value->get_if<bool>();
  if (flag == nullptr) wrong(name, "must be true or false");
  return flag != nullptr && *flag;
}

std::int64_t DataArguments::count(std::string_view name) {
  const Ejson* value = find(name);
  if (value == nullptr) return 0;
  const auto number = value->to_int64();
  if (!number || *number < 0) wrong(name, "must be a whole number that is not negative");
  return number.value_or(0);
}

}  // namespace keyturn::server
