// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/api/call.hpp"

// Documents that are kept for an app and given back as they came (admin-api.md tier B).
namespace keyturn::server::api {

/// 404 with the code that belongs to the kind.
[[nodiscard]] Error document_not_found(std::string_view kind);

/// One document. Errors: `document_not_found`.
[[nodiscard]] Result<json::Object> stored_document(Call& call, std::string_view kind, std::string_view id);

/// The settings object of that name, or `otherwise` while none was stored.
[[nodiscard]] Result<json::Object> stored_settings(Call& call, std::string_view name, json::Object otherwise);
/// Stores `next`; with `merge`, puts its members over those that are stored.
[[nodiscard]] Result<Answer> store_settings(Call& call, std::string_view name, bool merge);

}  // namespace keyturn::server::api
