// SPDX-License-Identifier: Apache-2.0
// Any bytes as a token: nothing crashes, and nothing is accepted that the key did not sign.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "core/jwt/key_set.hpp"

namespace {

using namespace keyturn;

const jwt::Key& hmac_key() {
  static const jwt::Key key = jwt::Key::hmac("key", std::string(32, 'k')).value();
  return key;
}

void require(bool holds) {
  if (!holds) std::abort();
}

// What the fuzzer made as header and payload, signed: this reaches the checks behind the signature.
void try_signed(std::string_view bytes) {
  const std::size_t cut = bytes.find('\n');
  if (cut == std::string_view::npos) return;
  const std::string text =
      crypto::base64url_encode(bytes.substr(0, cut)) + "." + crypto::base64url_encode(bytes.substr(cut + 1));
  const std::string token = text + "." + crypto::base64url_encode(hmac_key().sign(text));
  const auto jws = jwt::verify_jws(token, hmac_key());
  if (!jws) return;
  require(jws->payload == bytes.substr(cut + 1));
  require(*jws->header.find("alg")->as_string() == "HS256");
  for (const char* const name : {"crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"})
    require(!jws->header.contains(name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const jwt::Key pair = jwt::Key::generate_es256("key");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  require(!jwt::verify_jws(bytes, pair));
  for (const auto encoding : {jwt::Encoding::strict, jwt::Encoding::lenient}) {
    const auto jws = jwt::verify_jws(bytes, hmac_key(), encoding);
    if (jws && encoding == jwt::Encoding::strict)
      require(jwt::verify_jws(bytes, hmac_key(), jwt::Encoding::lenient).has_value());
  }
  if (const auto claims = jwt::read_unverified(bytes)) (void)jwt::read_times(*claims);
  try_signed(bytes);
  if (const auto value = json::parse(bytes)) {
    (void)jwt::Key::from_jwk(*value);
    (void)jwt::KeySet::from_jwks(*value);
  }
  return 0;
}
