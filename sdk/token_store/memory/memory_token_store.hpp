// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// Makes stores that keep everything in memory, gone with the last of them.
///
/// Thread safety: all members. Lifetime: the stores keep what they share alive.
class MemoryTokenStores {
 public:
  MemoryTokenStores();
  /// One more store over the same users, as another process would open a file.
  [[nodiscard]] std::unique_ptr<TokenStore> open() const;

 private:
  class Store;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace keyturn::sdk
