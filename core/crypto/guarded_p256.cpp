// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/guarded_p256.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "core/crypto/aead.hpp"
#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kScalarSize = 32;
constexpr std::size_t kPointSize = 65;
constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----\n";
constexpr std::string_view kEnd = "-----END PRIVATE KEY-----\n";
constexpr std::size_t kLine = 64;

// RFC 5208 around RFC 5915: version, id-ecPublicKey with prime256v1, and in an octet string version 1, the
// scalar, the point.
constexpr std::array<unsigned char, 36> kBeforeScalar{0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                                      0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                                      0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                                      0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
constexpr std::array<unsigned char, 5> kBeforePoint{0xa1, 0x44, 0x03, 0x42, 0x00};
constexpr std::size_t kPointAt = kBeforeScalar.size() + kScalarSize + kBeforePoint.size();
constexpr std::size_t kDerSize = kPointAt + kPointSize;
constexpr std::size_t kTextSize = kDerSize / 3 * 4;
static_assert(kDerSize % 3 == 0);

using SecretNumber = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;

/// The public point of a scalar; nothing unless it is between 1 and the order.
std::optional<std::string> point_of(const Secret& scalar) {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const SecretNumber number(BN_bin2bn(bytes_of(scalar.reveal()), kScalarSize, nullptr));
  if (!group || !number) std::abort();
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0)
    return std::nullopt;
  const Point point(EC_POINT_new(group.get()));
  std::string bytes(kPointSize, '\0');
  if (!point || EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes_of(bytes), kPointSize,
                         nullptr) != kPointSize)
    std::abort();
  return bytes;
}

template <std::size_t Size>
bool has_at(std::string_view der, std::size_t at, const std::array<unsigned char, Size>& wanted) {
  return std::memcmp(der.data() + at, wanted.data(), Size) == 0;
}

/// The bytes between the lines of a PEM.
std::optional<Secret> der_of(std::string_view pem) {
  if (!pem.starts_with(kBegin) || !pem.ends_with(kEnd)) return std::nullopt;
  pem.remove_prefix(kBegin.size());
  if (pem.size() < kEnd.size()) return std::nullopt;
  pem.remove_suffix(kEnd.size());
  if (static_cast<std::size_t>(std::count(pem.begin(), pem.end(), '\n')) + kTextSize != pem.size())
    return std::nullopt;
  const Secret text =
      Secret::filled(kTextSize, [&](char* out) { std::remove_copy(pem.begin(), pem.end(), out, '\n'); });
  int size = 0;
  Secret der = Secret::filled(kDerSize, [&](char* out) {
    size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out), bytes_of(text.reveal()), kTextSize);
  });
  if (size != static_cast<int>(kDerSize)) return std::nullopt;
  return der;
}

}  // namespace

GuardedP256 GuardedP256::generate() {
  for (;;) {
    Secret scalar = random_secret(kScalarSize);
    if (auto point = point_of(scalar)) return {std::move(scalar), std::move(*point)};
  }
}

std::optional<GuardedP256> GuardedP256::from_pem(std::string_view pem) {
  const auto der = der_of(pem);
  if (!der) return std::nullopt;
  const std::string_view bytes = der->reveal();
  if (!has_at(bytes, 0, kBeforeScalar) || !has_at(bytes, kBeforeScalar.size() + kScalarSize, kBeforePoint))
    return std::nullopt;
  Secret scalar(bytes.substr(kBeforeScalar.size(), kScalarSize));
  auto point = point_of(scalar);
  if (!point || *point != bytes.substr(kPointAt)) return std::nullopt;
  return GuardedP256(std::move(scalar), std::move(*point));
}

Secret GuardedP256::pem() const {
  const Secret der = Secret::filled(kDerSize, [this](char* out) {
    out = std::copy(kBeforeScalar.begin(), kBeforeScalar.end(), out);
    out = std::copy_n(scalar_.reveal().data(), kScalarSize, out);
    out = std::copy(kBeforePoint.begin(), kBeforePoint.end(), out);
    std::copy(point_.begin(), point_.end(), out);
  });
  const Secret text = Secret::filled(kTextSize + 1, [&](char* out) {  // and the zero of OpenSSL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out), bytes_of(der.reveal()), kDerSize);
  });
  constexpr std::size_t kLines = (kTextSize + kLine - 1) / kLine;
  return Secret::filled(kBegin.size() + kTextSize + kLines + kEnd.size(), [&](char* out) {
    out = std::copy(kBegin.begin(), kBegin.end(), out);
    for (std::size_t at = 0; at < kTextSize; at += kLine) {
      const std::string_view line = text.reveal().substr(0, kTextSize).substr(at, kLine);
      out = std::copy(line.begin(), line.end(), out);
      *out++ = '\n';
    }
    std::copy(kEnd.begin(), kEnd.end(), out);
  });
}

KeyHandle GuardedP256::open() const {
  // OpenSSL takes numbers in the order of the machine.
  Secret number = Secret::filled(kScalarSize, [this](char* out) {
    const std::string_view bytes = scalar_.reveal();
    if constexpr (std::endian::native == std::endian::little) {
      std::reverse_copy(bytes.begin(), bytes.end(), out);
    } else {
      std::copy(bytes.begin(), bytes.end(), out);
    }
  });
  std::string group = SN_X9_62_prime256v1;
  std::string point = point_;
  auto* const scalar = reinterpret_cast<unsigned char*>(const_cast<char*>(number.reveal().data()));
  const std::array<OSSL_PARAM, 4> params{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar, kScalarSize), OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, const_cast<OSSL_PARAM*>(params.data())) != 1)
    std::abort();
  return KeyHandle(key);
}

}  // namespace keyturn::crypto
