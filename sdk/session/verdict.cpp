// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/verdict.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

/// `application/json` with or without parameters, in any case. Two lines say nothing: what stands on the way
/// may have added one (RFC 9110 section 8.3).
bool is_json(const HttpHeaders& headers) {
  const auto is_type = [](const auto& header) { return find_header({header}, "content-type").has_value(); };
  const auto line = find_header(headers, "content-type");
  if (!line || std::count_if(headers.begin(), headers.end(), is_type) != 1) return false;
  std::string type(line->substr(0, line->find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type == protocol::kJsonContentType;
}

std::string request_id_of(const HttpHeaders& headers) {
  return std::string(find_header(headers, protocol::kRequestIdHeader).value_or(""));
}

struct Refusal {
  protocol::ErrorBody body;
  bool ends_session = false;
  bool nothing_to_end = false;
  bool rejects_token = false;
};

/// What the closed list says of the answer; nothing when it is not on it.
std::optional<Refusal> known_refusal(const HttpResponse& response) {
  if (!is_json(response.headers)) return std::nullopt;
  auto body = protocol::parse_error_body(response.body);
  if (!body) return std::nullopt;
  Refusal out;
  bool known = false;
  for (const KnownRefusal& entry : kClosedList) {
    const bool matches =
        entry.error_code.empty() ? body->error == entry.text : body->error_code == entry.error_code;
    if (response.status != entry.status || !matches) continue;
    known = true;
    out.ends_session = out.ends_session || entry.ends_session;
    out.nothing_to_end = out.nothing_to_end || entry.nothing_to_end;
    out.rejects_token = out.rejects_token || entry.rejects_token;
  }
  if (!known) return std::nullopt;
  out.body = std::move(*body);
  return out;
}

RefreshAnswer transient(Error error, std::optional<std::chrono::seconds> retry_after = {}) {
  error.remedy = Remedy::retry_later;
  error.reason = EndReason::none;
  return {Verdict::transient, {}, std::move(error), retry_after};
}

}  // namespace

RefreshAnswer judge_refresh(const Result<HttpResponse>& answer, std::optional<WallTime> now) {
  if (!answer) return transient(answer.error());
  const HttpResponse& response = *answer;
  if (response.status == 200 || response.status == 201) {
    if (!is_json(response.headers))
      return transient({ErrorCode::InvalidServerResponse, "the new token came without JSON"});
    auto session = protocol::parse_session_response(response.body);
    if (!session) return transient(session.error());
    if (!looks_like_jwt(session->access_token.reveal()))
      return transient({ErrorCode::BadToken, "the new token is no JWT"});
    return {Verdict::refreshed, std::move(session->access_token), {}, {}};
  }
  if (const auto refusal = known_refusal(response); refusal && refusal->ends_session) {
    Error error = protocol::to_error(refusal->body, response.status, request_id_of(response.headers));
    error.remedy = Remedy::log_in_again;
    if (error.code == ErrorCode::UserDisabled) error.reason = EndReason::user_disabled;
    return {Verdict::session_over, {}, std::move(error), {}};
  }
  return transient(protocol::error_of(response), retry_after_of(response.headers, now));
}

Remedy remedy_while_kept(ErrorCode code, std::string_view refresh_token) {
  const bool without_key = code == ErrorCode::DeviceKeyUnavailable;
  const bool must_bind = code == ErrorCode::InvalidDpopProof && !is_bound_to_key(refresh_token);
  return without_key || must_bind ? Remedy::log_in_again : Remedy::retry_later;
}

bool revocation_delivered(const Result<HttpResponse>& answer) {
  if (!answer) return false;
  // A 200 with a page is what a stranger on the way says to everything.
  const bool is_bare = answer->body.empty() && !find_header(answer->headers, "content-type");
  if (answer->status == 204 || (answer->status == 200 && (is_bare || is_json(answer->headers)))) return true;
  const auto refusal = known_refusal(*answer);
  return refusal && refusal->nothing_to_end;
}

bool token_rejected(const HttpResponse& response) {
  const auto refusal = known_refusal(response);
  return refusal && refusal->rejects_token;
}

}  // namespace keyturn::sdk
