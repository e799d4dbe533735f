// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/ejson.hpp>

namespace keyturn::server::api {

/// How the Data API writes documents (data-api.md 3).
enum class DataFormat { json, ejson };

inline constexpr std::string_view kEjsonContentType = "application/ejson";

/// "JSON" or "EJSON", as the configuration has them.
[[nodiscard]] std::optional<DataFormat> data_format_from(std::string_view return_type) noexcept;
/// What the `Accept` header asks for; `otherwise` when it names neither format.
[[nodiscard]] DataFormat data_format_for(std::string_view accept, DataFormat otherwise);
[[nodiscard]] std::string_view content_type_of(DataFormat format) noexcept;

/// Canonical EJSON, or `plain_json`.
[[nodiscard]] std::string write_data(const Ejson& value, DataFormat format);

}  // namespace keyturn::server::api
