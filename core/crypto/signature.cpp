// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <limits>
#include <utility>

#include "core/base/guarded_memory.hpp"
#include "core/crypto/crypto.hpp"
#include "core/crypto/guarded_p256.hpp"
#include "core/crypto/key_check.hpp"
#include "core/crypto/openssl_handles.hpp"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kP256Size = 32;
constexpr std::size_t kEd25519Size = 64;
constexpr std::size_t kMaxDerSize = 2 + 2 * (2 + kP256Size + 1);

// OpenSSL keeps a queue of errors per thread; what was refused here must not surface in another use of the
// library.
struct ErrorQueueGuard {
  ErrorQueueGuard() = default;
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

// An encrypted PEM is refused; without this OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

// One integer of a DER sequence from `size` bytes, most significant first.
std::size_t append_der_integer(unsigned char* out, std::string_view number) {
  while (number.size() > 1 && number.front() == '\0') number.remove_prefix(1);
  const bool needs_zero = (static_cast<unsigned char>(number.front()) & 0x80U) != 0;
  std::size_t at = 0;
  out[at++] = 0x02;
  out[at++] = static_cast<unsigned char>(number.size() + (needs_zero ? 1 : 0));
  if (needs_zero) out[at++] = 0;
  for (const char c : number) out[at++] = static_cast<unsigned char>(c);
  return at;
}

std::size_t to_der(std::string_view pair, unsigned char* out) {
  std::size_t at = 2;
  at += append_der_integer(out + at, pair.substr(0, kP256Size));
  at += append_der_integer(out + at, pair.substr(kP256Size));
  out[0] = 0x30;
  out[1] = static_cast<unsigned char>(at - 2);
  return at;
}

std::string from_der(const unsigned char* der, std::size_t size) {
  const EcdsaPair pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
  std::string raw(2 * kP256Size, '\0');
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(raw), kP256Size) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(raw) + kP256Size, kP256Size) < 0) {
    std::abort();
  }
  return raw;
}

KeyHandle key_from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyHandle(key);
}

}  // namespace

struct SignatureKey::Material {
  SignatureScheme scheme{};
  KeyHandle key;
  bool can_sign = false;
  std::optional<GuardedP256> guarded;  // then `key` is the public half
  // Prepared once and copied for each use: preparing costs a look-up of the algorithm by name.
  KeyContext sign_context;
  KeyContext verify_context;

  static std::optional<SignatureKey> make(SignatureScheme scheme, KeyHandle key, bool can_sign,
                                          std::optional<GuardedP256> guarded = {});
};

namespace {

KeyContext prepare(EVP_PKEY* key, SignatureScheme scheme, int (*init)(EVP_PKEY_CTX*)) {
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || init(context.get()) != 1) return nullptr;
  if (scheme == SignatureScheme::rsa_pkcs1_sha256 &&
      (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
       EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1)) {
    return nullptr;
  }
  return context;
}

}  // namespace

std::optional<SignatureKey> SignatureKey::Material::make(SignatureScheme scheme, KeyHandle key, bool can_sign,
                                                         std::optional<GuardedP256> guarded) {
  if (!key || !is_usable(scheme, key.get())) return std::nullopt;
  auto material = std::make_shared<Material>();
  material->scheme = scheme;
  material->can_sign = can_sign;
  if (scheme != SignatureScheme::ed25519) {
    material->verify_context = prepare(key.get(), scheme, EVP_PKEY_verify_init);
    if (!material->verify_context) return std::nullopt;
    if (can_sign) {
      material->sign_context = prepare(key.get(), scheme, EVP_PKEY_sign_init);
      if (!material->sign_context) return std::nullopt;
    }
  }
  material->key = std::move(key);
  material->guarded = std::move(guarded);
  material->can_sign = can_sign || material->guarded;
  return SignatureKey(std::move(material));
}

SignatureKey::SignatureKey(std::shared_ptr<const Material> material) : material_(std::move(material)) {}

std::optional<SignatureKey> SignatureKey::from_pem(SignatureScheme scheme, std::string_view pem) {
  const ErrorQueueGuard guard;
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return std::nullopt;
  const auto open = [pem] { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); };
  if (const Bio bio = open(); bio) {
    if (KeyHandle key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr)); key) {
      return Material::make(scheme, std::move(key), false);
    }
  }
  if (const Bio bio = open(); bio) {
    if (KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)); key) {
      return Material::make(scheme, std::move(key), true);
    }
  }
  return std::nullopt;
}

namespace {

KeyHandle public_p256(std::string_view point) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1) {
    return nullptr;
  }
  return key_from_params("EC", builder.get());
}

}  // namespace

std::optional<SignatureKey> SignatureKey::from_p256_point(std::string_view x, std::string_view y) {
  const ErrorQueueGuard guard;
  if (x.size() != kP256Size || y.size() != kP256Size) return std::nullopt;
  std::string point = "\x04";
  point.append(x).append(y);
  return Material::make(SignatureScheme::ecdsa_p256_sha256, public_p256(point), false);
}

std::optional<SignatureKey> SignatureKey::guarded(GuardedP256 pair) {
  const ErrorQueueGuard guard;
  KeyHandle key = public_p256(pair.point());
  return Material::make(SignatureScheme::ecdsa_p256_sha256, std::move(key), false, std::move(pair));
}

std::optional<SignatureKey> SignatureKey::guarded_p256_from_pem(std::string_view pem) {
  auto pair = GuardedP256::from_pem(pem);
  wipe_traces();
  return pair ? guarded(std::move(*pair)) : std::nullopt;
}

SignatureKey SignatureKey::generate_guarded_p256() {
  auto key = guarded(GuardedP256::generate());
  wipe_traces();
  if (!key) std::abort();
  return *std::move(key);
}

std::optional<SignatureKey> SignatureKey::from_rsa(std::string_view modulus, std::string_view exponent) {
  const ErrorQueueGuard guard;
  constexpr std::size_t kMaxBytes =
      2048;  // well above 8192 bits; bounds the work before the check of the size
  if (modulus.size() > kMaxBytes || exponent.size() > kMaxBytes) return std::nullopt;
  const BigNumber n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const BigNumber e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return std::nullopt;
  }
  return Material::make(SignatureScheme::rsa_pkcs1_sha256, key_from_params("RSA", builder.get()), false);
}

std::optional<SignatureKey> SignatureKey::from_ed25519(std::string_view point) {
  const ErrorQueueGuard guard;
  return Material::make(
      SignatureScheme::ed25519,
      KeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(point), point.size())),
      false);
}

SignatureKey SignatureKey::generate_p256() {
  std::optional<SignatureKey> key =
      Material::make(SignatureScheme::ecdsa_p256_sha256, KeyHandle(EVP_EC_gen("P-256")), true);
  if (!key) std::abort();
  return *std::move(key);
}

SignatureScheme SignatureKey::scheme() const noexcept { return material_->scheme; }

bool SignatureKey::can_sign() const noexcept { return material_->can_sign; }

Secret SignatureKey::private_pem() const {
  if (!can_sign()) return {};
  if (material_->guarded) return material_->guarded->pem();
  const ErrorQueueGuard guard;
  const Bio bio(BIO_new(BIO_s_mem()));  // wiped by OpenSSL when freed
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), material_->key.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1)
    std::abort();
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret(std::string_view(text, static_cast<std::size_t>(size)));
}

std::optional<P256Point> SignatureKey::p256_point() const {
  if (material_->scheme != SignatureScheme::ecdsa_p256_sha256) return std::nullopt;
  const auto coordinate = [&](const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(material_->key.get(), name, &number) != 1) std::abort();
    const BigNumber owned(number);
    std::string bytes(kP256Size, '\0');
    if (BN_bn2binpad(number, bytes_of(bytes), kP256Size) < 0) std::abort();
    return bytes;
  };
  return P256Point{coordinate(OSSL_PKEY_PARAM_EC_PUB_X), coordinate(OSSL_PKEY_PARAM_EC_PUB_Y)};
}

std::string SignatureKey::sign(std::string_view data) const {
  if (!can_sign()) std::abort();
  const ErrorQueueGuard guard;
  if (material_->scheme == SignatureScheme::ed25519) {
    const DigestContext context(EVP_MD_CTX_new());
    std::string signature(kEd25519Size, '\0');
    std::size_t size = signature.size();
    if (!context ||
        EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, material_->key.get(),
                              nullptr) != 1 ||
        EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(data), data.size()) != 1) {
      std::abort();
    }
    return signature;
  }
  const std::string digest = sha256(data);
  KeyContext context;
  if (material_->guarded) {
    context = prepare(material_->guarded->open().get(), material_->scheme, EVP_PKEY_sign_init);
  } else {
    context.reset(EVP_PKEY_CTX_dup(material_->sign_context.get()));
  }
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(material_->key.get())), '\0');
  std::size_t size = signature.size();
  if (!context ||
      EVP_PKEY_sign(context.get(), bytes_of(signature), &size, bytes_of(digest), digest.size()) != 1)
    std::abort();
  if (material_->guarded) {
    context.reset();
    wipe_traces();
  }
  if (material_->scheme == SignatureScheme::ecdsa_p256_sha256) return from_der(bytes_of(signature), size);
  signature.resize(size);
  return signature;
}

bool SignatureKey::verify(std::string_view data, std::string_view signature) const {
  const ErrorQueueGuard guard;
  if (material_->scheme == SignatureScheme::ed25519) {
    const DigestContext context(EVP_MD_CTX_new());
    return context &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, material_->key.get(),
                                   nullptr) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(data),
                            data.size()) == 1;
  }
  unsigned char der[kMaxDerSize];
  if (material_->scheme == SignatureScheme::ecdsa_p256_sha256) {
    if (signature.size() != 2 * kP256Size) return false;
    signature = std::string_view(reinterpret_cast<const char*>(der), to_der(signature, der));
  }
  const std::string digest = sha256(data);
  const KeyContext context(EVP_PKEY_CTX_dup(material_->verify_context.get()));
  return context && EVP_PKEY_verify(context.get(), bytes_of(signature), signature.size(), bytes_of(digest),
                                    digest.size()) == 1;
}

}  // namespace keyturn::crypto
