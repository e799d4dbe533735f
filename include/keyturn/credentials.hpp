// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace keyturn {

namespace sdk {
struct CredentialsData;
}

/// How a user proves who they are. Made by the named factories; cannot be printed.
///
/// Thread safety: immutable. Lifetime: the secret inside is wiped with the last copy.
class Credentials {
 public:
  /// A new anonymous user; with `reuse_existing`, the one that is logged in on this device, without network
  /// (sdk-behaviour.md section 3).
  static Credentials anonymous(bool reuse_existing = true);
  static Credentials username_password(std::string username, std::string password);
  static Credentials api_key(std::string key);
  /// A JWT of an issuer that the app trusts.
  static Credentials custom(std::string jwt);
  /// The argument of the app's authentication function, as an EJSON object text.
  static Credentials function(std::string ejson_payload);
  static Credentials google_id_token(std::string id_token);
  static Credentials google_auth_code(std::string auth_code);
  static Credentials apple(std::string id_token);
  static Credentials facebook(std::string access_token);

  /// The wire name of the provider, "local-userpass".
  [[nodiscard]] const std::string& provider() const noexcept;

  [[nodiscard]] const sdk::CredentialsData& data() const noexcept { return *data_; }

 private:
  explicit Credentials(std::shared_ptr<const sdk::CredentialsData> data) : data_(std::move(data)) {}
  std::shared_ptr<const sdk::CredentialsData> data_;
};

}  // namespace keyturn
