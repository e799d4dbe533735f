// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <string>
#include <string_view>

namespace keyturn::crypto {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};

using KeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_vfree>>;
using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using EcdsaPair = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

inline const unsigned char* bytes_of(std::string_view data) noexcept {
  return reinterpret_cast<const unsigned char*>(data.data());
}
inline unsigned char* bytes_of(std::string& data) noexcept {
  return reinterpret_cast<unsigned char*>(data.data());
}

}  // namespace keyturn::crypto
