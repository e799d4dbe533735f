// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/jwt.hpp"

#include <array>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/compact.hpp"

namespace keyturn::jwt {
namespace {

constexpr std::int64_t kLatestTime = std::int64_t{1} << 40;
constexpr std::chrono::seconds kMostAhead{60};

// Members that would let a token choose its key or change what is signed (rule V6).
constexpr std::array<std::string_view, 7> kRefusedMembers{"crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"};

Error unauthorized() { return {ErrorCode::InvalidSession, "unauthorized"}; }

bool has_refused_member(const json::Object& header) {
  for (const std::string_view name : kRefusedMembers) {
    if (header.contains(name)) return true;
  }
  return false;
}

// `choose` answers the key for the header's `kid`.
template <class Choose>
Result<VerifiedJws> verify_with(std::string_view compact, Encoding encoding, const Choose& choose) {
  const auto parts = split(compact);
  if (!parts) return unauthorized();
  const auto header_text = decode(parts->header, encoding);
  auto payload = decode(parts->payload, encoding);
  const auto signature = decode(parts->signature, encoding);
  if (!header_text || !payload || !signature) return unauthorized();

  auto header = object_in(*header_text);
  if (!header || has_refused_member(*header)) return unauthorized();
  const json::Value* const algorithm = header->find("alg");
  const json::Value* const key_id = header->find("kid");
  if (algorithm == nullptr || algorithm->as_string() == nullptr) return unauthorized();
  if (key_id != nullptr && key_id->as_string() == nullptr) return unauthorized();

  const Key* const key =
      choose(key_id == nullptr ? std::string_view{} : std::string_view(*key_id->as_string()));
  if (key == nullptr || *algorithm->as_string() != to_string(key->algorithm())) return unauthorized();
  if (!key->verify(parts->signed_text, *signature)) return unauthorized();
  return VerifiedJws{*std::move(header), *std::move(payload)};
}

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

Result<VerifiedJws> verify_jws(std::string_view compact, const KeyLookup& lookup, Encoding encoding) {
  return verify_with(compact, encoding, lookup);
}

Result<VerifiedJws> verify_jws(std::string_view compact, const Key& key, Encoding encoding) {
  return verify_with(compact, encoding, [&key](std::string_view) { return &key; });
}

std::optional<Times> read_times(const json::Object& claims) {
  const auto issued_at = time_at(claims, "iat");
  const auto expires_at = time_at(claims, "exp");
  if (!issued_at || !expires_at || *expires_at < *issued_at) return std::nullopt;
  return Times{*issued_at, *expires_at};
}

Validity validity_at(const Times& times, std::optional<WallTime> not_before, WallTime now) {
  if (now >= times.expires_at) return Validity::expired;  // RFC 7519 section 4.1.4: "on or after"
  if (times.issued_at - now > kMostAhead || (not_before && *not_before - now > kMostAhead))
    return Validity::not_yet;
  return Validity::valid;
}

std::string mint(const Key& key, std::string_view payload_json) {
  std::string token = key.encoded_header();
  token += '.';
  token += crypto::base64url_encode(payload_json);
  const std::string signature = key.sign(token);
  token += '.';
  token += crypto::base64url_encode(signature);
  return token;
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
