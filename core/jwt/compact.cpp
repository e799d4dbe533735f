// SPDX-License-Identifier: Apache-2.0
// What is read of a token without a key: apart, so that a program which only reads is linked without
// signatures.
#include "core/jwt/compact.hpp"

#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"

namespace keyturn::jwt {
namespace {

constexpr std::int64_t kLatestTime = std::int64_t{1} << 40;

}  // namespace

std::optional<Parts> split(std::string_view compact) {
  if (compact.size() > kMaxTokenBytes) return std::nullopt;
  const std::size_t first = compact.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = compact.find('.', first + 1);
  if (second == std::string_view::npos || compact.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  Parts parts{compact.substr(0, first), compact.substr(first + 1, second - first - 1),
              compact.substr(second + 1), compact.substr(0, second)};
  if (parts.header.empty() || parts.signature.empty()) return std::nullopt;
  return parts;
}

std::optional<std::string> decode(std::string_view part, Encoding encoding) {
  return encoding == Encoding::strict ? crypto::base64url_decode(part) : crypto::base64_decode_lenient(part);
}

std::optional<json::Object> object_in(std::string_view text) {
  json::Limits limits;
  limits.max_bytes = kMaxTokenBytes;
  Result<json::Value> value = json::parse(text, limits);
  if (!value || value->as_object() == nullptr) return std::nullopt;
  return std::move(*value->as_object());
}

std::optional<WallTime> time_at(const json::Object& claims, std::string_view name) {
  const json::Value* const value = claims.find(name);
  const std::int64_t* const seconds = value == nullptr ? nullptr : value->as_int();
  if (seconds == nullptr || *seconds < 0 || *seconds > kLatestTime) return std::nullopt;
  return WallTime(std::chrono::seconds(*seconds));
}

std::optional<Times> read_times(const json::Object& claims) {
  const auto issued_at = time_at(claims, "iat");
  const auto expires_at = time_at(claims, "exp");
  if (!issued_at || !expires_at || *expires_at < *issued_at) return std::nullopt;
  return Times{*issued_at, *expires_at};
}

Result<json::Object> read_unverified(std::string_view compact) {
  const Error bad(ErrorCode::BadToken, "the token is no JWT");
  const auto parts = split(compact);
  if (!parts || parts->payload.empty()) return bad;
  const auto payload = decode(parts->payload, Encoding::lenient);
  if (!payload) return bad;
  auto claims = object_in(*payload);
  if (!claims) return bad;
  return *std::move(claims);
}

}  // namespace keyturn::jwt
