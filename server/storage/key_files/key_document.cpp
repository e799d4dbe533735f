// SPDX-License-Identifier: Apache-2.0
#include "server/storage/key_files/key_document.hpp"

#include <algorithm>
#include <bitset>
#include <string>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"

namespace keyturn::server::key_files {
namespace {

constexpr std::size_t kSecretSize = 32;
constexpr std::int64_t kVersion = 1;

Error refuse(std::string_view purpose, std::string_view why) {
  return {ErrorCode::InvalidConfiguration, "signing keys: " + std::string(purpose) + " " + std::string(why)};
}

json::Value entry(const std::string& kid, const char* alg, const char* material_name,
                  std::string_view material) {
  json::Object out;
  out.set("kid", kid);
  out.set("alg", alg);
  out.set(material_name, material);
  return out;
}

Result<jwt::Key> read_hmac(const json::Value& keys, std::string_view purpose) {
  const json::Value* entry = keys.find(purpose);
  const auto kid = entry == nullptr ? std::nullopt : entry->string_at("kid");
  if (!kid || kid->empty()) return refuse(purpose, "is missing or has no kid");
  if (entry->string_at("alg") != "HS256") return refuse(purpose, "has another algorithm than HS256");
  std::optional<std::string> secret = crypto::base64url_decode(entry->string_at("secret").value_or(""));
  if (!secret) return refuse(purpose, "has a secret that is not base64url");
  if (secret->size() < kSecretSize) return refuse(purpose, "has a secret of less than 32 bytes");
  if (looks_made_up(*secret)) return refuse(purpose, "has a secret that is not random");
  Result<jwt::Key> key = jwt::Key::hmac(std::string(*kid), *secret);
  wipe_memory(secret->data(), secret->size());
  if (!key) return refuse(purpose, "has a secret that cannot be used");
  return key;
}

Result<jwt::Key> read_es256(const json::Value& keys, std::string_view purpose) {
  const json::Value* entry = keys.find(purpose);
  const auto kid = entry == nullptr ? std::nullopt : entry->string_at("kid");
  if (!kid || kid->empty()) return refuse(purpose, "is missing or has no kid");
  if (entry->string_at("alg") != "ES256") return refuse(purpose, "has another algorithm than ES256");
  Result<jwt::Key> key =
      jwt::Key::from_pem(std::string(*kid), jwt::Algorithm::es256, entry->string_at("pem").value_or(""));
  if (!key || !key->can_sign()) return refuse(purpose, "has no P-256 private key");
  return key;
}

}  // namespace

bool looks_made_up(std::string_view secret) noexcept {
  std::bitset<256> seen;
  bool printable = true;
  for (const char c : secret) {
    const auto byte = static_cast<unsigned char>(c);
    seen.set(byte);
    printable = printable && byte >= 0x20 && byte < 0x7f;
  }
  // Of 32 random bytes about 30 are different; fewer than 16, or none outside ASCII, has a chance below 1 in
  // 10^12.
  return printable || seen.count() < 16;
}

Result<NewKeys> make_keys(std::string_view domain_id) {
  const std::string base =
      std::string(domain_id.substr(0, 8)) + "-" + crypto::hex_encode(crypto::random_bytes(4));
  std::string access_secret = crypto::random_bytes(kSecretSize);
  std::string refresh_secret = crypto::random_bytes(kSecretSize);
  const jwt::Key pair = jwt::Key::generate_es256(base + "-e1");
  Result<jwt::Key> access = jwt::Key::hmac(base + "-a1", access_secret);
  Result<jwt::Key> refresh = jwt::Key::hmac(base + "-r1", refresh_secret);
  if (!access) return access.error();
  if (!refresh) return refresh.error();
  json::Object keys;
  keys.set("access_es256", entry(pair.id(), "ES256", "pem", pair.private_pem().reveal()));
  keys.set("access_hs256", entry(access->id(), "HS256", "secret", crypto::base64url_encode(access_secret)));
  keys.set("refresh_hs256",
           entry(refresh->id(), "HS256", "secret", crypto::base64url_encode(refresh_secret)));
  json::Object document;
  document.set("version", kVersion);
  document.set("keys", std::move(keys));
  std::string text = json::write(json::Value(std::move(document)));
  NewKeys out{{pair, std::move(*access), std::move(*refresh)}, Secret(text)};
  for (std::string* each : {&access_secret, &refresh_secret, &text}) wipe_memory(each->data(), each->size());
  return out;
}

Result<SigningKeys> read_keys(std::string_view document) {
  const Result<json::Value> parsed = json::parse(document);
  if (!parsed) return refuse("the file", "is not complete JSON");
  if (parsed->int_at("version") != kVersion)
    return refuse("the file", "has a version that this program does not know");
  const json::Value* keys = parsed->find("keys");
  if (keys == nullptr || keys->as_object() == nullptr) return refuse("the file", "has no keys");
  Result<jwt::Key> pair = read_es256(*keys, "access_es256");
  if (!pair) return pair.error();
  Result<jwt::Key> access = read_hmac(*keys, "access_hs256");
  if (!access) return access.error();
  Result<jwt::Key> refresh = read_hmac(*keys, "refresh_hs256");
  if (!refresh) return refresh.error();
  if (pair->id() == access->id() || pair->id() == refresh->id() || access->id() == refresh->id()) {
    return refuse("the file", "uses a kid twice");
  }
  if (keys->find("access_hs256")->string_at("secret") == keys->find("refresh_hs256")->string_at("secret")) {
    return refuse("the file", "uses a secret for two purposes");
  }
  return SigningKeys{std::move(*pair), std::move(*access), std::move(*refresh)};
}

}  // namespace keyturn::server::key_files
