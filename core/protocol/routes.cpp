// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/routes.hpp"

namespace keyturn::protocol {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string_view tail_of(PasswordCall call) {
  switch (call) {
    case PasswordCall::register_account:
      return "register";
    case PasswordCall::confirm:
      return "confirm";
    case PasswordCall::confirm_send:
      return "confirm/send";
    case PasswordCall::confirm_call:
      return "confirm/call";
    case PasswordCall::reset:
      return "reset";
    case PasswordCall::reset_send:
      return "reset/send";
    case PasswordCall::reset_call:
      return "reset/call";
  }
  return {};
}

std::string below(std::string_view path, std::string_view id) {
  std::string out(path);
  out += '/';
  out += percent_encode(id);
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

std::string app_path(std::string_view client_app_id, std::string_view rest) {
  std::string out(kClientPrefix);
  out += "/app/";
  out += percent_encode(client_app_id);
  out += rest;
  return out;
}

std::string location_path(std::string_view client_app_id) { return app_path(client_app_id, "/location"); }

std::string login_path(std::string_view client_app_id, std::string_view provider_type, bool link) {
  std::string rest = "/auth/providers/" + percent_encode(provider_type) + "/login";
  if (link) rest += "?link=true";
  return app_path(client_app_id, rest);
}

std::string password_path(std::string_view client_app_id, PasswordCall call) {
  std::string rest = "/auth/providers/local-userpass/";
  rest += tail_of(call);
  return app_path(client_app_id, rest);
}

std::string functions_call_path(std::string_view client_app_id) {
  return app_path(client_app_id, "/functions/call");
}

std::string api_key_path(std::string_view key_id) { return below(kApiKeysPath, key_id); }

std::string api_key_switch_path(std::string_view key_id, bool enable) {
  return api_key_path(key_id) + (enable ? "/enable" : "/disable");
}

std::string session_path(std::string_view session_id) { return below(kSessionsPath, session_id); }

std::string other_sessions_path() { return std::string(kSessionsPath) + "?others=true"; }

}  // namespace keyturn::protocol
