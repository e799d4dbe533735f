// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/crypto/aead.hpp"
#include "sdk/token_store/key_source/key_source.hpp"
#include "sdk/token_store/store_folder.hpp"

namespace keyturn::sdk {
namespace {

Error without_the_key(const Error& cause) {
  if (cause.code == ErrorCode::InvalidConfiguration) return cause;
  return {ErrorCode::StoreKeyUnavailable, "the key file of the token store cannot be used: " + cause.message};
}

class KeyFile final : public KeySource {
 public:
  explicit KeyFile(std::filesystem::path file) : file_(std::move(file)) {}

  Result<std::optional<Secret>> find(std::string_view) override {
    std::error_code unknown;
    if (file_.empty()) return Error(ErrorCode::InvalidConfiguration, "the key file is not named");
    // Looking for a key makes no folders.
    if (!std::filesystem::exists(file_, unknown)) {
      if (!unknown) return std::optional<Secret>();
      return Error(ErrorCode::StoreKeyUnavailable, "the key file cannot be looked at: " + unknown.message());
    }
    const auto folder = StoreFolder::open(folder_of(file_));
    if (!folder) return without_the_key(folder.error());
    return read(*folder);
  }

  Result<Secret> find_or_make(std::string_view store_id) override {
    auto found = find(store_id);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    const auto folder = StoreFolder::open(folder_of(file_));
    if (!folder) return without_the_key(folder.error());
    const auto made = folder->create(name(), crypto::random_secret(kStoreKeySize).reveal());
    if (!made) return without_the_key(made.error());
    auto key = read(*folder);  // another process may have been first
    if (!key) return key.error();
    if (!*key) return Error(ErrorCode::StoreKeyUnavailable, "the key file has gone again");
    return std::move(**key);
  }

 private:
  static std::filesystem::path folder_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  }
  [[nodiscard]] std::string name() const { return file_.filename().string(); }

  [[nodiscard]] Result<std::optional<Secret>> read(const StoreFolder& folder) const {
    auto bytes = folder.read(name(), 4096);
    if (!bytes) return without_the_key(bytes.error());
    if (*bytes && (*bytes)->size() != kStoreKeySize)
      return Error(ErrorCode::StoreKeyUnavailable, "the key file does not hold the 64 bytes of a key");
    return bytes;
  }

  const std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<KeySource> key_file(std::filesystem::path file) {
  return std::make_unique<KeyFile>(std::move(file));
}

}  // namespace keyturn::sdk
