// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/messages.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

#include "core/json/json.hpp"
#include "core/protocol/field_reader.hpp"
#include "core/protocol/redacted_body.hpp"
#include "core/protocol/text_members.hpp"

namespace keyturn::protocol {
namespace {

std::int64_t to_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
WallTime from_seconds(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

json::Object key_to_json(const ApiKeyMessage& key) {
  json::Object out;
  out.set("_id", key.id);
  if (!key.key.empty()) out.set("key", key.key.reveal());
  out.set("name", key.name);
  out.set("disabled", key.disabled);
  return out;
}

Result<ApiKeyMessage> key_from(const json::Value& value) {
  FieldReader fields(value);
  ApiKeyMessage key;
  key.id = fields.text("_id");
  key.name = fields.text_or("name", "");
  key.disabled = fields.flag("disabled");
  key.key = Secret(fields.text_or("key", ""));
  if (fields.failed()) return fields.error();
  return key;
}

Result<SessionMessage> session_from(const json::Value& value) {
  FieldReader fields(value);
  SessionMessage session;
  session.id = fields.text("_id");
  session.provider_type = fields.text("provider_type");
  session.device_id = fields.text("device_id");
  session.created = from_seconds(fields.integer("created"));
  session.last_used = from_seconds(fields.integer("last_used"));
  session.expires = from_seconds(fields.integer("expires"));
  session.current = fields.flag("current");
  if (const json::Object* device = fields.object("device"); device != nullptr) session.device = *device;
  if (fields.failed()) return fields.error();
  return session;
}

template <class T>
Result<std::vector<T>> each_of(std::string_view body, Result<T> (*read)(const json::Value&)) {
  auto value = parse_answer(body);
  if (!value) return value.error();
  const json::Array* array = value->as_array();
  if (array == nullptr) return Error(ErrorCode::MissingJsonKey, "the server's answer is no array");
  std::vector<T> out;
  out.reserve(array->size());
  for (const json::Value& element : *array) {
    auto item = read(element);
    if (!item) return item.error();
    out.push_back(std::move(*item));
  }
  return out;
}

}  // namespace

std::string write_login_response(const LoginResponse& response) {
  std::string out;
  append_member(out, "access_token", response.access_token.reveal());
  append_member(out, "refresh_token", response.refresh_token.reveal());
  append_member(out, "user_id", response.user_id);
  append_member(out, "device_id", response.device_id);
  return out += '}';
}

Result<LoginResponse> parse_login_response(std::string_view body) {
  const RedactedBody redacted(body);
  auto value = parse_answer(redacted.text());
  if (!value) return value.error();
  FieldReader fields(*value);
  LoginResponse out;
  out.access_token = Secret(redacted.original(fields.text("access_token")));
  out.refresh_token = Secret(redacted.original(fields.text_or("refresh_token", "")));
  out.user_id = redacted.original(fields.text("user_id"));
  out.device_id = redacted.original(fields.text("device_id"));
  if (fields.failed()) return fields.error();
  return out;
}

std::string write_session_response(const SessionResponse& response) {
  std::string out;
  append_member(out, "access_token", response.access_token.reveal());
  return out += '}';
}

Result<SessionResponse> parse_session_response(std::string_view body) {
  const RedactedBody redacted(body);
  auto value = parse_answer(redacted.text());
  if (!value) return value.error();
  FieldReader fields(*value);
  SessionResponse out{Secret(redacted.original(fields.text("access_token")))};
  if (fields.failed()) return fields.error();
  return out;
}

std::string write_location(const Location& location) {
  std::string out;
  append_member(out, "deployment_model", location.deployment_model);
  append_member(out, "location", location.location);
  append_member(out, "hostname", location.hostname);
  append_member(out, "ws_hostname", location.ws_hostname);
  return out += '}';
}

Result<Location> parse_location(std::string_view body) {
  auto value = parse_answer(body);
  if (!value) return value.error();
  FieldReader fields(*value);
  Location out;
  out.hostname = fields.text("hostname");
  out.ws_hostname = fields.text("ws_hostname");
  out.deployment_model = fields.text_or("deployment_model", "GLOBAL");
  out.location = fields.text_or("location", "US-VA");
  if (fields.failed()) return fields.error();
  return out;
}

json::Array identities_to_json(const std::vector<ProfileIdentity>& identities) {
  json::Array out;
  for (const ProfileIdentity& identity : identities) {
    out.emplace_back(json::Object{{"id", identity.id},
                                  {"provider_type", identity.provider_type},
                                  {"provider_id", identity.provider_id}});
  }
  return out;
}

json::Object to_json(const Profile& profile) {
  json::Object out;
  out.set("user_id", profile.user_id);
  out.set("domain_id", profile.domain_id);
  out.set("identities", identities_to_json(profile.identities));
  out.set("data", profile.data);
  out.set("type", profile.type);
  return out;
}

std::string write_profile(const Profile& profile) { return json::write(to_json(profile)); }

Result<Profile> parse_profile(std::string_view body) {
  auto value = parse_answer(body);
  if (!value) return value.error();
  FieldReader fields(*value);
  Profile out;
  out.user_id = fields.text_or("user_id", "");
  out.domain_id = fields.text_or("domain_id", "");
  out.type = fields.text_or("type", "normal");
  if (const json::Object* data = fields.object("data"); data != nullptr) out.data = *data;
  const json::Array* identities = fields.array("identities");
  if (fields.failed()) return fields.error();
  for (const json::Value& element : *identities) {
    FieldReader identity(element);
    ProfileIdentity& added = out.identities.emplace_back();
    added.id = identity.text("id");
    added.provider_type = identity.text("provider_type");
    added.provider_id = identity.text_or("provider_id", "");
    if (identity.failed()) return identity.error();
  }
  return out;
}

std::string write_api_key(const ApiKeyMessage& key) { return json::write(key_to_json(key)); }

std::string write_api_keys(const std::vector<ApiKeyMessage>& keys) {
  json::Array out;
  for (const ApiKeyMessage& key : keys) out.emplace_back(key_to_json(key));
  return json::write(std::move(out));
}

Result<ApiKeyMessage> parse_api_key(std::string_view body) {
  auto value = parse_answer(body);
  if (!value) return value.error();
  return key_from(*value);
}

Result<std::vector<ApiKeyMessage>> parse_api_keys(std::string_view body) {
  return each_of<ApiKeyMessage>(body, key_from);
}

std::string write_sessions(const std::vector<SessionMessage>& sessions) {
  json::Array out;
  for (const SessionMessage& session : sessions) {
    out.emplace_back(json::Object{{"_id", session.id},
                                  {"provider_type", session.provider_type},
                                  {"device_id", session.device_id},
                                  {"device", session.device},
                                  {"created", to_seconds(session.created)},
                                  {"last_used", to_seconds(session.last_used)},
                                  {"expires", to_seconds(session.expires)},
                                  {"current", session.current}});
  }
  return json::write(std::move(out));
}

Result<std::vector<SessionMessage>> parse_sessions(std::string_view body) {
  return each_of<SessionMessage>(body, session_from);
}

std::string write_function_call(std::string_view name, std::string_view arguments_ejson,
                                std::string_view service) {
  std::string out = "{\"name\":";
  json::append_quoted(out, name);
  out += ",\"arguments\":";
  out += arguments_ejson;
  if (!service.empty()) {
    out += ",\"service\":";
    json::append_quoted(out, service);
  }
  return out += '}';
}

}  // namespace keyturn::protocol
