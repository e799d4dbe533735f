// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/network_certificates.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace keyturn::faults {
namespace {

void expect(bool done, const std::string& what) {
  if (!done) throw std::runtime_error("openssl cannot make " + what);
}

void extend(X509* certificate, X509* issuer, const std::string& name, const std::string& words) {
  if (words.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_nconf(nullptr, &context, name.c_str(), words.c_str());
  expect(extension != nullptr, name + " = " + words);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Key curve_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }
Key rsa_key(unsigned bits) { return {EVP_RSA_gen(bits), &EVP_PKEY_free}; }

Key mismatched_key(const Key& shown, const Key& signing) {
  std::array<unsigned char, 65> point{};
  std::size_t size = 0;
  BIGNUM* secret = nullptr;
  expect(EVP_PKEY_get_octet_string_param(shown.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                         &size) == 1 &&
             EVP_PKEY_get_bn_param(signing.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1,
         "parts of a key");
  OSSL_PARAM_BLD* const builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), size);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret);
  OSSL_PARAM* const parts = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  expect(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parts) == 1, "a key of two halves");
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parts);
  OSSL_PARAM_BLD_free(builder);
  BN_clear_free(secret);
  return {key, &EVP_PKEY_free};
}

Wanted authority(const std::string& subject) {
  Wanted out;
  out.subject = subject;
  out.names.clear();
  out.constraints = "critical,CA:TRUE";
  out.usage = "critical,keyCertSign,cRLSign";
  out.purposes.clear();
  return out;
}

Identity make(const Wanted& wanted, const Identity* issuer) {
  static long serial = 0;
  const Certificate out(X509_new(), &X509_free);
  X509* const made = out.get();
  X509* const signer = issuer != nullptr ? issuer->certificate.get() : made;
  X509_set_version(made, wanted.version);
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made), wanted.from);
  X509_gmtime_adj(X509_getm_notAfter(made), wanted.to);
  X509_set_pubkey(made, wanted.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(signer));
  if (wanted.version == 2) {
    extend(made, signer, "basicConstraints", wanted.constraints);
    extend(made, signer, "keyUsage", wanted.usage);
    extend(made, signer, "extendedKeyUsage", wanted.purposes);
    extend(made, signer, "subjectAltName", wanted.names);
    for (const auto& [name, words] : wanted.more) extend(made, signer, name, words);
  }
  const EVP_MD* const digest = EVP_get_digestbyname(wanted.digest);
  expect(X509_sign(made, (issuer != nullptr ? issuer->key : wanted.key).get(), digest) > 0, "a signature");
  return {out, wanted.key};
}

std::string dns_name_of_bytes(const std::string& bytes) {
  const auto part = [](unsigned char tag, const std::string& content) {  // DER, below 128 bytes
    return std::string{static_cast<char>(tag), static_cast<char>(content.size())} + content;
  };
  std::string out = "DER";
  for (const char each : part(0x30, part(0x82, bytes))) {
    constexpr const char* kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(each);
    out += {':', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out;
}

std::string pem_of(const Certificate& certificate) {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string out(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return out;
}

std::string pin_of(const Key& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(der, static_cast<std::size_t>(size), hash.data());
  OPENSSL_free(der);
  std::array<unsigned char, 64> text{};
  EVP_EncodeBlock(text.data(), hash.data(), static_cast<int>(hash.size()));
  return "sha256//" + std::string(reinterpret_cast<const char*>(text.data()));
}

}  // namespace keyturn::faults
