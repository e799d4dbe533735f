// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/rows.hpp"

#include "core/json/json.hpp"

namespace keyturn::server::sqlite {

json::Value read_json(Connection& sql, std::string_view text) {
  json::Limits limits;
  limits.max_bytes = std::size_t{64} * 1024 * 1024;
  limits.max_depth = 200;
  Result<json::Value> value = json::parse(text, limits);
  if (value) return std::move(*value);
  sql.fail("a stored document is not JSON");
  return {};
}

json::Object read_object(Connection& sql, std::string_view text) {
  json::Value value = read_json(sql, text);
  if (json::Object* object = value.as_object()) return std::move(*object);
  if (!sql.failed()) sql.fail("a stored document is not a JSON object");
  return {};
}

std::string write_object(const json::Object& object) { return json::write(json::Value(object)); }

std::optional<User> load_user(Connection& sql, std::string_view app_id, std::string_view user_id) {
  User user;
  {
    Query query = sql.query(
        "SELECT id, type, disabled, created, last_authentication, generation FROM users WHERE app_id = ?1 AND id = ?2",
        app_id, user_id);
    if (!query.row()) return std::nullopt;
    user.id = query.text(0);
    user.app_id = app_id;
    user.type = query.flag(1) ? UserType::server : UserType::normal;
    user.disabled = query.flag(2);
    user.created = query.time(3);
    user.last_authentication = query.time(4);
    user.generation = query.integer(5);
  }
  Query query = sql.query(
      "SELECT id, provider_type, provider_id, data FROM identities WHERE app_id = ?1 AND user_id = ?2 ORDER BY position",
      app_id, user_id);
  while (query.row()) {
    user.identities.push_back({query.text(0), query.text(1), query.text(2), read_object(sql, query.view(3))});
  }
  return user;
}

int end_sessions(WriteStep& step, std::string_view app_id, std::string_view user_id, std::string_view except,
                 EndReason reason, WallTime now) {
  Query query = step.sql.query(
      "UPDATE sessions SET ended = ?4, reason = ?5, over = min(refresh_expires, ?4) "
      "WHERE user_id = ?2 AND app_id = ?1 AND id <> ?3 AND ended IS NULL RETURNING id",
      app_id, user_id, except, now, to_string(reason));
  int count = 0;
  for (; query.row(); ++count) step.changed_sessions.push_back(query.text(0));
  return count;
}

void bump_generation(Connection& sql, std::string_view app_id, std::string_view user_id) {
  sql.run("UPDATE users SET generation = generation + 1 WHERE app_id = ?1 AND id = ?2", app_id, user_id);
}

}  // namespace keyturn::server::sqlite
