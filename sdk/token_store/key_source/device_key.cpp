// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/key_source/device_key.hpp"

#include <string>
#include <utility>

#include "core/crypto/aead.hpp"
#include "core/crypto/crypto.hpp"
#include "sdk/token_store/store_folder.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::string_view kMagic = "Keyturn device key 1\n";
constexpr std::string_view kPurpose = "keyturn device key";
constexpr std::size_t kMostBytes = 8'192;
constexpr std::size_t kNameBytes = 8;
constexpr std::size_t kIdBytes = 16;

std::string context_of(std::string_view app_id, std::string_view base_url) {
  // With the length of the first part, so that no two pairs read alike.
  return std::string(kPurpose) + '\n' + std::to_string(app_id.size()) + '\n' + std::string(app_id) +
         std::string(base_url);
}

Error damaged() { return {ErrorCode::StoreCorrupt, "the device key is damaged or sealed under another key"}; }

}  // namespace

DeviceKeyFile::DeviceKeyFile(std::filesystem::path directory, std::string_view app_id,
                             std::string_view base_url, KeySource& keys)
    : directory_(std::move(directory)),
      context_(context_of(app_id, base_url)),
      name_("keyturn-" + crypto::hex_encode(crypto::sha256(context_).substr(0, kNameBytes)) + ".device-key"),
      store_id_(crypto::sha256("id " + context_).substr(0, kIdBytes)),
      keys_(keys) {}

Result<std::optional<Secret>> DeviceKeyFile::find() const {
  std::error_code unknown;
  if (!std::filesystem::exists(directory_ / name_, unknown)) {
    if (!unknown) return std::optional<Secret>();
    return Error(ErrorCode::StoreUnavailable, "the device key cannot be looked at: " + unknown.message());
  }
  auto folder = StoreFolder::open(directory_);
  if (!folder) return folder.error();
  auto bytes = folder->read(name_, kMostBytes);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<Secret>();
  auto seal_key = keys_.find(store_id_);
  if (!seal_key) return seal_key.error();
  if (!*seal_key)
    return Error(ErrorCode::StoreKeyUnavailable, "the key that seals the device key is missing");
  const std::string_view text = (*bytes)->reveal();
  if (!text.starts_with(kMagic)) return damaged();
  auto opened =
      crypto::unseal(crypto::derive_key(**seal_key, kPurpose), text.substr(kMagic.size()), context_);
  if (!opened) return damaged();
  return opened;
}

Result<Secret> DeviceKeyFile::find_or_make(const std::function<Secret()>& make) const {
  auto found = find();
  if (!found) return found.error();
  if (*found) return std::move(**found);
  auto folder = StoreFolder::open(directory_);
  if (!folder) return folder.error();
  auto seal_key = keys_.find_or_make(store_id_);
  if (!seal_key) return seal_key.error();
  const std::string sealed = crypto::seal(crypto::derive_key(*seal_key, kPurpose), make().reveal(), context_);
  if (auto made = folder->create(name_, std::string(kMagic) + sealed); !made) return made.error();
  found = find();  // another process may have been first
  if (!found) return found.error();
  if (!*found) return Error(ErrorCode::StoreUnavailable, "the device key has gone again");
  return std::move(**found);
}

}  // namespace keyturn::sdk
