// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace keyturn::faults {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

Key curve_key();
Key rsa_key(unsigned bits);
/// Shows the public half of one key and signs with another.
Key mismatched_key(const Key& shown, const Key& signing);

/// What a certificate says, in the words of the openssl program; an extension without words is left out.
struct Wanted {
  std::string subject = "api.keyturn.localhost";
  std::string names = "DNS:api.keyturn.localhost";
  std::string constraints = "critical,CA:FALSE";
  std::string usage = "critical,digitalSignature";
  std::string purposes = "serverAuth";
  std::vector<std::pair<std::string, std::string>> more{};
  long from = -3'600;  ///< In seconds, from now.
  long to = 86'400;
  long version = 2;  ///< As X.509 counts: 2 is version 3.
  const char* digest = "SHA256";
  Key key = curve_key();
};
/// The same for an authority.
Wanted authority(const std::string& subject);

/// A certificate and its key, and who signed it.
struct Identity {
  Certificate certificate;
  Key key;
};
/// Without an issuer it signs itself.
Identity make(const Wanted& wanted, const Identity* issuer = nullptr);

/// The words of a name with any bytes in it.
std::string dns_name_of_bytes(const std::string& bytes);
std::string pem_of(const Certificate& certificate);
/// As `NetworkConfiguration::pinned_keys` has it.
std::string pin_of(const Key& key);

}  // namespace keyturn::faults
