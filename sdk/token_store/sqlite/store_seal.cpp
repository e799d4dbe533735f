// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/store_seal.hpp"

#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/crypto/aead.hpp"
#include "core/crypto/crypto.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::string_view kFormat = "keyturn token store, format 2";
constexpr std::string_view kCopyKind = "Keyturn good copy ";
constexpr std::string_view kCopyMagic = "Keyturn good copy 2\n";
constexpr unsigned kCopyVersion = 2;
constexpr std::string_view kCopyPlace = "copy";
constexpr std::size_t kIdSize = 16;
constexpr std::size_t kCheckSize = 16;
static_assert(kCopyMagic.size() + kIdSize + kCheckSize + 8 == kGoodCopyHeaderSize);

std::string number(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  std::string out;
  for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>((bits >> shift) & 0xffU);
  return out;
}

std::int64_t read_number(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i)
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return static_cast<std::int64_t>(bits);
}

/// With its length, so that no two lists of parts read alike.
std::string part(std::string_view text) {
  return number(static_cast<std::int64_t>(text.size())) + std::string(text);
}

}  // namespace

StoreSeal::StoreSeal(const Secret& key, std::string store_id, std::string_view app_id,
                     std::string_view base_url)
    : store_id_(std::move(store_id)),
      context_(part(kFormat) + part(store_id_) + part(app_id) + part(base_url)),
      record_key_(crypto::derive_key(key, "keyturn token store: records")),
      name_key_(crypto::derive_key(key, "keyturn token store: names")),
      key_check_(crypto::derive_key(key, "keyturn token store: check " + context_).reveal(), 0, kCheckSize) {}

RecordName StoreSeal::name_of(std::string_view user_id) const {
  const auto hash = crypto::hmac_sha256(name_key_.reveal(), context_ + part(user_id));
  RecordName name{};
  std::memcpy(name.data(), hash.data(), name.size());
  return name;
}

std::string StoreSeal::bound_to(std::string_view place, std::int64_t stamp) const {
  return context_ + part(place) + number(stamp);
}

std::string StoreSeal::seal(std::string_view place, std::int64_t stamp, const Secret& plain) const {
  return crypto::seal(record_key_, plain.reveal(), bound_to(place, stamp));
}

std::optional<Secret> StoreSeal::open(std::string_view place, std::int64_t stamp,
                                      std::string_view sealed) const {
  return crypto::unseal(record_key_, sealed, bound_to(place, stamp));
}

std::string new_store_id() { return crypto::random_bytes(kIdSize); }

std::string write_good_copy(const StoreSeal& seal, const TokenBook& book) {
  return std::string(kCopyMagic) + seal.store_id() + seal.key_check() + number(book.version) +
         seal.seal(kCopyPlace, book.version, write_book(book));
}

std::optional<GoodCopyHeader> read_good_copy_header(std::string_view bytes) {
  if (bytes.size() < kGoodCopyHeaderSize || !bytes.starts_with(kCopyMagic)) return std::nullopt;
  bytes.remove_prefix(kCopyMagic.size());
  GoodCopyHeader out;
  out.store_id = bytes.substr(0, kIdSize);
  out.key_check = bytes.substr(kIdSize, kCheckSize);
  out.version = read_number(bytes.substr(kIdSize + kCheckSize, 8));
  out.sealed = bytes.substr(kIdSize + kCheckSize + 8);
  return out;
}

bool is_good_copy_of_later_version(std::string_view bytes) {
  if (!bytes.starts_with(kCopyKind)) return false;
  bytes.remove_prefix(kCopyKind.size());
  unsigned version = 0;
  const auto [end, fault] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), version);
  return fault == std::errc() && end != bytes.data() + bytes.size() && *end == '\n' && version > kCopyVersion;
}

std::optional<TokenBook> open_good_copy(const StoreSeal& seal, const GoodCopyHeader& header) {
  const auto plain = seal.open(kCopyPlace, header.version, header.sealed);
  if (!plain) return std::nullopt;
  auto book = read_book(plain->reveal());
  if (!book || book->version != header.version) return std::nullopt;
  return book;
}

}  // namespace keyturn::sdk
