// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "server/domain/ports.hpp"

namespace keyturn::server::memory {

/// Signing keys that are forgotten with the process, for tests.
///
/// Thread safety: all members. Errors: `load` answers `InvalidConfiguration` for a domain that has no keys.
class MemorySigningKeys final : public SigningKeyStore {
 public:
  Result<std::shared_ptr<const SigningKeys>> create(std::string_view domain_id) override;
  Result<std::shared_ptr<const SigningKeys>> load(std::string_view domain_id) override;
  void remove(std::string_view domain_id) override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const SigningKeys>, std::less<>> keys_;
};

}  // namespace keyturn::server::memory
