// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/jwt.hpp"

#include <array>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/jwt/compact.hpp"

namespace keyturn::jwt {
namespace {

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

Result<VerifiedJws> verify_jws(std::string_view compact, const KeyLookup& lookup, Encoding encoding) {
  return verify_with(compact, encoding, lookup);
}

Result<VerifiedJws> verify_jws(std::string_view compact, const Key& key, Encoding encoding) {
  return verify_with(compact, encoding, [&key](std::string_view) { return &key; });
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

}  // namespace keyturn::jwt
