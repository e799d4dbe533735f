// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "server/domain/ports.hpp"

namespace keyturn::server::key_files {

/// Signing keys as one file per app: `<data folder>/keys/<domain id>.json` (0600, folder 0700).
///
/// The file is a JSON object
/// `{"version":1,"keys":{"access_es256":{"kid","alg","pem"},"access_hs256":{"kid","alg",
/// "secret"},"refresh_hs256":{...}}}`; a secret is 32 random bytes in base64url, a PEM is PKCS #8. Key ids
/// are unique over all files, so that keys can overlap (rule V27).
///
/// Thread safety: all members. Errors: one clear line that never holds a part of a key or a path.
class FileSigningKeys final : public SigningKeyStore {
 public:
  /// `diagnostics` gets the cause of a fault of the file system; may be empty.
  explicit FileSigningKeys(const std::filesystem::path& data_folder,
                           std::function<void(std::string_view)> diagnostics = nullptr);

  /// Writes new keys and syncs them to the disk before they are used. Errors: `ServiceUnavailable` when that
  /// fails, and when the domain has keys: existing ones are never overwritten.
  Result<std::shared_ptr<const SigningKeys>> create(std::string_view domain_id) override;
  /// Errors: `InvalidConfiguration` for a file that is missing, open to others, damaged, or holds an unusable
  /// key.
  Result<std::shared_ptr<const SigningKeys>> load(std::string_view domain_id) override;
  /// Deletes the file for good; no error when there is none.
  void remove(std::string_view domain_id) override;

 private:
  Error unavailable(const std::string& detail) const;

  std::filesystem::path folder_;
  std::function<void(std::string_view)> diagnostics_;
};

}  // namespace keyturn::server::key_files
