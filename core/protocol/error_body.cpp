// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/error_body.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error_codes.hpp"
#include "core/json/json.hpp"
#include "core/protocol/routes.hpp"
#include "core/protocol/text_members.hpp"

namespace keyturn::protocol {
namespace {

bool passes_by_itself(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

bool is_json(const HttpResponse& response) {
  const auto type = find_header(response.headers, "content-type");
  return type && type->substr(0, kJsonContentType.size()) == kJsonContentType;
}

/// `co_id` of a link to the logs.
std::string_view request_id_in(std::string_view link) {
  static constexpr std::string_view kName = "co_id=";
  const auto at = link.find(kName);
  if (at == std::string_view::npos) return {};
  link.remove_prefix(at + kName.size());
  return link.substr(0, link.find('&'));
}

// A server, or what stands between, may repeat what it was asked (row B-38). All tokens begin alike, since
// their first bytes are those of a JSON object.
std::string without_tokens(std::string_view text) {
  static constexpr std::string_view kBeginning = "eyJ";
  static constexpr std::string_view kInTokens =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
  std::string out;
  for (auto at = text.find(kBeginning); at != std::string_view::npos; at = text.find(kBeginning)) {
    out += text.substr(0, at);
    out += "[token]";
    text.remove_prefix(std::min(text.find_first_not_of(kInTokens, at), text.size()));
  }
  out += text;
  return out;
}

}  // namespace

std::string write_error_body(const ErrorBody& body) {
  std::string out;
  append_member(out, "error", body.error);
  if (!body.error_code.empty()) append_member(out, "error_code", body.error_code);
  if (!body.reason.empty()) append_member(out, "reason", body.reason);
  if (!body.link.empty()) append_member(out, "link", body.link);
  return out += '}';
}

Result<ErrorBody> parse_error_body(std::string_view body) {
  // A foreign server may have sent it, so it is read within the narrow bounds.
  auto value = json::parse(body);
  if (!value)
    return Error(ErrorCode::MalformedJson, "the server's answer is not JSON: " + value.error().message);
  const auto text = value->string_at("error");
  const auto code = value->string_at("error_code");
  if (!text && !code)
    return Error(ErrorCode::MissingJsonKey, "the server's answer has no usable member 'error'");
  ErrorBody out;
  out.error = text.value_or("no error message");
  out.error_code = code.value_or("");
  out.link = value->string_at("link").value_or("");
  out.reason = value->string_at("reason").value_or("");
  return out;
}

ErrorBody error_body_of(const Error& error, std::string link) {
  ErrorBody out;
  out.error = error.message;
  if (error.code != ErrorCode::AppUnknownError) out.error_code = to_string(error.code);
  out.reason = to_string(error.reason);
  out.link = std::move(link);
  return out;
}

Error to_error(const ErrorBody& body, int status, std::string request_id) {
  Error error(body.error_code.empty() ? ErrorCode::AppUnknownError : error_code_from(body.error_code),
              without_tokens(body.error));
  const bool untold = error.code == ErrorCode::AppUnknownError || error.code == ErrorCode::AppServerError;
  if (untold) error.remedy = passes_by_itself(status) ? Remedy::retry_later : Remedy::fix_request;
  if (error.code == ErrorCode::InvalidSession) error.reason = end_reason_from(body.reason);
  error.http_status = status;
  error.request_id = without_tokens(request_id.empty() ? request_id_in(body.link) : request_id);
  return error;
}

int status_of(const Error& error) noexcept {
  if (error.http_status != 0) return error.http_status;
  const int usual = base::row_of(error.code).status;
  return usual == 0 ? 500 : usual;
}

Error error_of(const HttpResponse& response) {
  std::string request_id(find_header(response.headers, kRequestIdHeader).value_or(""));
  if (is_json(response)) {
    if (auto body = parse_error_body(response.body))
      return to_error(*body, response.status, std::move(request_id));
  }
  Error error(
      ErrorCode::HTTPError, passes_by_itself(response.status) ? Remedy::retry_later : Remedy::fix_request,
      "the server answered with status " + std::to_string(response.status) + " and no error of its own");
  error.http_status = response.status;
  error.request_id = without_tokens(request_id);
  return error;
}

bool has_error_body(const HttpResponse& response) {
  return is_json(response) && parse_error_body(response.body).has_value();
}

}  // namespace keyturn::protocol
