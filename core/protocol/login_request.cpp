// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/json/json.hpp"
#include "core/protocol/messages.hpp"

namespace keyturn::protocol {
namespace {

Error bad(const char* why) { return {ErrorCode::BadRequest, why}; }

}  // namespace

std::string write_login_request(const LoginRequest& request) {
  json::Object body = request.credentials;
  if (request.device) body.set("options", json::Object{{"device", *request.device}});
  return json::write(std::move(body));
}

std::string write_login_request(std::string_view credentials, const std::optional<json::Object>& device) {
  std::string_view members = credentials.substr(0, credentials.find_last_of('}'));
  while (!members.empty() && members.back() <= ' ') members.remove_suffix(1);
  std::string options;
  if (device) {
    options = members.ends_with('{') ? "" : ",";
    options += R"("options":)" + json::write(json::Object{{"device", *device}});
  }
  std::string out;
  out.reserve(members.size() + options.size() + 1);  // never moved: it would leave a copy behind
  out += members;
  out += options;
  out += '}';
  return out;
}

Result<LoginRequest> parse_login_request(std::string_view body) {
  LoginRequest out;
  if (body.empty()) return out;
  auto value = json::parse(body);
  if (!value) return value.error();
  json::Object* members = value->as_object();
  if (members == nullptr) return bad("the body must be an object");
  if (const json::Value* options = members->find("options"); options != nullptr && !options->is_null()) {
    const json::Object* named = options->as_object();
    if (named == nullptr) return bad("'options' must be an object");
    if (const json::Value* device = named->find("device"); device != nullptr && !device->is_null()) {
      if (device->as_object() == nullptr) return bad("'options.device' must be an object");
      out.device = *device->as_object();
    }
  }
  members->erase("options");
  out.credentials = std::move(*members);
  return out;
}

}  // namespace keyturn::protocol
