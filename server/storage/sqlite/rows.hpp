// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json/value.hpp"
#include "server/domain/types.hpp"
#include "server/storage/sqlite/connection.hpp"
#include "server/storage/sqlite/database.hpp"

// What several stores need to read and write.
namespace keyturn::server::sqlite {

/// A stored JSON document; damage is a fault of the connection.
[[nodiscard]] json::Value read_json(Connection& sql, std::string_view text);
[[nodiscard]] json::Object read_object(Connection& sql, std::string_view text);
[[nodiscard]] std::string write_object(const json::Object& object);

[[nodiscard]] std::optional<User> load_user(Connection& sql, std::string_view app_id,
                                            std::string_view user_id);

/// Ends the live sessions of a user but `except`; answers how many.
int end_sessions(WriteStep& step, std::string_view app_id, std::string_view user_id, std::string_view except,
                 EndReason reason, WallTime now);
void bump_generation(Connection& sql, std::string_view app_id, std::string_view user_id);

/// An app and a provider as documents, so that a new setting needs no new column.
[[nodiscard]] json::Value to_document(const App& app);
[[nodiscard]] App app_from(const json::Value& document);
[[nodiscard]] json::Value to_document(const AuthProvider& provider);
[[nodiscard]] AuthProvider provider_from(const json::Value& document);

}  // namespace keyturn::server::sqlite
