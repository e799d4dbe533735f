// SPDX-License-Identifier: Apache-2.0
#include "server/api/data_api/format.hpp"

#include "core/json/json.hpp"
#include "server/api/plain_json.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::string_view kJsonType = "application/json";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

}  // namespace

std::optional<DataFormat> data_format_from(std::string_view return_type) noexcept {
  if (return_type == "JSON") return DataFormat::json;
  if (return_type == "EJSON") return DataFormat::ejson;
  return std::nullopt;
}

DataFormat data_format_for(std::string_view accept, DataFormat otherwise) {
  const std::string text = lower(accept);
  const auto ejson = text.find(kEjsonContentType);
  const auto json = text.find(kJsonType);
  if (ejson == json) return otherwise;  // neither
  return ejson < json ? DataFormat::ejson : DataFormat::json;
}

std::string_view content_type_of(DataFormat format) noexcept {
  return format == DataFormat::ejson ? kEjsonContentType : kJsonType;
}

std::string write_data(const Ejson& value, DataFormat format) {
  return format == DataFormat::ejson ? value.to_canonical() : json::write(plain_json(value));
}

}  // namespace keyturn::server::api
