// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "sdk/token_store/key_source/key_source.hpp"

namespace keyturn::sdk {
namespace {

class AppSuppliedKey final : public KeySource {
 public:
  explicit AppSuppliedKey(Secret key) : key_(std::move(key)) {}
  Result<std::optional<Secret>> find(std::string_view store_id) override {
    auto key = find_or_make(store_id);
    if (!key) return key.error();
    return std::optional<Secret>(std::move(*key));
  }
  Result<Secret> find_or_make(std::string_view) override {
    if (key_.size() != kStoreKeySize)
      return Error(ErrorCode::InvalidConfiguration, "the key of the token store must have 64 bytes");
    return key_.copy();
  }

 private:
  const Secret key_;
};

}  // namespace

std::unique_ptr<KeySource> app_supplied_key(Secret key) {
  return std::make_unique<AppSuppliedKey>(std::move(key));
}

}  // namespace keyturn::sdk
