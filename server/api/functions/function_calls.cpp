// SPDX-License-Identifier: Apache-2.0
#include "server/api/functions/function_calls.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

/// Read where an endpoint asks for credentials in headers (data-api.md 2).
constexpr std::array<std::string_view, 4> kCredentials{"email", "password", "apikey", "jwttokenstring"};
/// The schemes of our own tokens, which no function is to see, whether they were read or not.
constexpr std::array<std::string_view, 2> kTokenSchemes{"bearer", "dpop"};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// "user-agent" as "User-Agent", the form that functions of the hosted service saw.
std::string canonical_name(std::string_view name) {
  std::string out = lower_case(name);
  bool begins = true;
  for (char& c : out) {
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == '-';
  }
  return out;
}

bool brings_token(std::string_view authorization) {
  const std::string value = lower_case(authorization);
  return std::any_of(kTokenSchemes.begin(), kTokenSchemes.end(),
                     [&](std::string_view scheme) { return value.compare(0, scheme.size(), scheme) == 0; });
}

/// Functions see what is theirs to read: not what Keyturn took for itself, nor what was for a proxy.
bool is_hidden(const Call& call, std::string_view header, std::string_view value) {
  const std::string name = lower_case(header);
  if (name == "authorization") return brings_token(value);
  if (name == "proxy-authorization") return true;
  return call.has_read_credentials &&
         std::find(kCredentials.begin(), kCredentials.end(), name) != kCredentials.end();
}

json::Object shown_headers(const Call& call) {
  json::Object out;
  for (const auto& [name, value] : call.request.headers) {
    if (is_hidden(call, name, value)) continue;
    std::string shown = canonical_name(name);
    if (json::Value* known = out.find(shown); known != nullptr) {
      known->as_array()->emplace_back(value);
    } else {
      out.set(std::move(shown), json::Array{json::Value(value)});
    }
  }
  return out;
}

std::string query_without_secrets(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto name = percent_decode(pair.substr(0, std::min(pair.find('='), pair.size())), true);
    if (!name || *name == "secret" || *name == "baas_at") continue;
    if (!out.empty()) out += '&';
    out += pair;
  }
  return out;
}

}  // namespace

json::Object function_request(const Call& call) {
  const HttpHeaders& headers = call.request.headers;
  const auto header = [&](std::string_view name) { return find_header(headers, name).value_or(""); };
  return {{"httpMethod", call.request.method},
          {"requestHeaders", shown_headers(call)},
          {"rawQueryString", query_without_secrets(query_of(call.request.url))},
          {"httpReferrer", header("referer")},
          {"httpUserAgent", header("user-agent")},
          {"webhookUrl", std::string(path_of(call.request.url))},
          {"service", ""},
          {"action", ""},
          {"remoteIPAddress", std::string(call.remote_address)}};
}

FunctionOutcome run_function(Call& call, FunctionCall wanted) {
  if (call.services.functions == nullptr) {
    return {refusal(ErrorCode::ServiceUnavailable, "this server runs no functions"), {}, {}};
  }
  wanted.request_id = call.request_id;
  wanted.request_path = path_of(call.request.url);
  call.is_logged = true;
  return call.services.functions->execute(call.app->app, wanted);
}

}  // namespace keyturn::server::api
