// SPDX-License-Identifier: Apache-2.0
#include "server/api/call.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/json/json.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

/// What a `Host` may hold without changing the meaning of an address that is made of it.
bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
  });
}

}  // namespace

Answer json_answer(json::Value value, int status) { return {status, json::write(value)}; }

Result<Answer> no_content_of(const Result<void>& done, int status) {
  if (!done) return done.error();
  return no_content(status);
}

std::string Call::base_url() const {
  if (!options.public_url.empty()) return options.public_url;
  const std::string_view host = find_header(request.headers, "host").value_or("");
  return options.scheme + "://" + (is_host(host) ? std::string(host) : "localhost");
}

Result<std::string_view> required_text(const json::Object& object, std::string_view name) {
  const json::Value* value = object.find(name);
  if (value == nullptr || value->as_string() == nullptr) {
    return refusal(ErrorCode::BadRequest, "'" + std::string(name) + "' is a required string");
  }
  return std::string_view(*value->as_string());
}

Result<std::string_view> optional_text(const json::Object& object, std::string_view name) {
  const json::Value* value = object.find(name);
  if (value == nullptr || value->is_null()) return std::string_view();
  return required_text(object, name);
}

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace keyturn::server::api
