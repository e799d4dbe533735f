// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "core/json/json.hpp"

namespace keyturn {

/// The cases of a file in vectors/, for tests. Errors: as `json::parse`; a missing file is an empty text.
inline Result<json::Value> read_vector_file(const std::string& name) {
  std::ifstream file(std::string(KEYTURN_VECTORS) + "/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  json::Limits limits;
  limits.max_bytes = std::size_t{4} << 20U;
  return json::parse(text, limits);
}

}  // namespace keyturn
