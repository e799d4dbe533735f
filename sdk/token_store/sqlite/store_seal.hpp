// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/secret.hpp>

#include "sdk/token_store/record_codec.hpp"

namespace keyturn::sdk {

/// Seals and opens what one store keeps of one app. Every sealed text is bound to the format, the store, the
/// app, its own place and the time it was written at: in another place, another store or in exchange for a
/// newer one it does not open or is not in the manifest.
///
/// Thread safety: all members.
class StoreSeal {
 public:
  StoreSeal(const Secret& key, std::string store_id, std::string_view app_id, std::string_view base_url);

  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  /// Tells a wrong key from a damaged store, and tells nothing about the key.
  [[nodiscard]] const std::string& key_check() const { return key_check_; }
  [[nodiscard]] RecordName name_of(std::string_view user_id) const;

  [[nodiscard]] std::string seal(std::string_view place, std::int64_t stamp, const Secret& plain) const;
  [[nodiscard]] std::optional<Secret> open(std::string_view place, std::int64_t stamp,
                                           std::string_view sealed) const;

 private:
  [[nodiscard]] std::string bound_to(std::string_view place, std::int64_t stamp) const;

  const std::string store_id_;
  const std::string context_;
  const Secret record_key_;
  const Secret name_key_;
  const std::string key_check_;
};

/// A new random id for a store.
[[nodiscard]] std::string new_store_id();

/// The copy of the last good store, as the bytes of its file.
[[nodiscard]] std::string write_good_copy(const StoreSeal& seal, const TokenBook& book);
/// What such a file says of itself before any key is asked for; nothing when it is none of ours.
struct GoodCopyHeader {
  std::string store_id;
  std::string key_check;
  std::int64_t version = 0;
  std::string_view sealed;  ///< Into the bytes given.
};
/// The bytes that it takes at the beginning of the file.
inline constexpr std::size_t kGoodCopyHeaderSize = 60;
[[nodiscard]] std::optional<GoodCopyHeader> read_good_copy_header(std::string_view bytes);
[[nodiscard]] bool is_good_copy_of_later_version(std::string_view bytes);
[[nodiscard]] std::optional<TokenBook> open_good_copy(const StoreSeal& seal, const GoodCopyHeader& header);

}  // namespace keyturn::sdk
