// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/key_check.hpp"

#include <openssl/core_names.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace keyturn::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr int kMaxExponentBits = 64;

// A modulus of the faulty generator is, modulo every small prime, a power of 65537 (Nemec et al., "The Return
// of Coppersmith's Attack", 2017). A sound modulus passes all of these by chance about once in 2^27.
bool has_roca_mark(const BIGNUM* modulus) {
  constexpr std::array<unsigned, 38> kPrimes{3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                             47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                             107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  for (const unsigned prime : kPrimes) {
    const auto residue = static_cast<unsigned>(BN_mod_word(modulus, prime));
    unsigned power = 1;
    bool is_power = false;
    do {
      is_power = power == residue;
      power = power * (65537 % prime) % prime;
    } while (!is_power && power != 1);
    if (!is_power) return false;
  }
  return true;
}

BigNumber number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  return BigNumber(number);
}

bool is_usable_rsa(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) return false;
  const BigNumber modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const BigNumber exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return false;
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits || BN_is_odd(modulus.get()) == 0) return false;
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) != 0 ||
      BN_num_bits(exponent.get()) > kMaxExponentBits)
    return false;
  return !has_roca_mark(modulus.get());
}

bool is_usable_p256(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return false;
  if (std::string_view(group.data(), size) != "prime256v1") return false;
  int explicit_parameters = 0;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) ==
          1 &&
      explicit_parameters != 0) {
    return false;
  }
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

}  // namespace

bool is_usable(SignatureScheme scheme, EVP_PKEY* key) {
  switch (scheme) {
    case SignatureScheme::ecdsa_p256_sha256:
      return is_usable_p256(key);
    case SignatureScheme::rsa_pkcs1_sha256:
      return is_usable_rsa(key);
    case SignatureScheme::ed25519:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
  }
  return false;
}

}  // namespace keyturn::crypto
