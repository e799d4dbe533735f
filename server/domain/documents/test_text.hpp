// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <keyturn/ejson.hpp>

// Values of the tests, written as text.
namespace keyturn::server::documents {

inline Ejson value_of(std::string_view text) {
  auto value = Ejson::parse(text);
  if (!value) throw std::invalid_argument(std::string(text));
  return std::move(*value);
}

inline EjsonDocument document_of(std::string_view text) { return *value_of(text).get_if<EjsonDocument>(); }

}  // namespace keyturn::server::documents
