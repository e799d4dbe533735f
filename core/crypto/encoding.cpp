// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr unsigned char kForeign = 0xff;

using Table = std::array<unsigned char, 256>;

constexpr void add(Table& table, std::string_view alphabet) {
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<unsigned char>(i);
}

constexpr Table table_of(std::string_view alphabet, std::string_view other = {}) {
  Table table{};
  for (unsigned char& entry : table) entry = kForeign;
  add(table, alphabet);
  add(table, other);
  return table;
}

constexpr Table kFromUrl = table_of(kUrl);
constexpr Table kFromEither = table_of(kUrl, kStandard);
constexpr Table kFromHex = table_of(kHex, "0123456789ABCDEF");

std::string encode(std::string_view data, std::string_view alphabet, bool pad) {
  std::string text((data.size() + 2) / 3 * 4, '=');
  std::size_t out = 0;
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(data[at]));
  };
  for (; i + 3 <= data.size(); i += 3) {
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text[out++] = alphabet[group >> 18];
    text[out++] = alphabet[group >> 12 & 63];
    text[out++] = alphabet[group >> 6 & 63];
    text[out++] = alphabet[group & 63];
  }
  if (const std::size_t rest = data.size() - i; rest != 0) {
    const unsigned group = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0U);
    text[out++] = alphabet[group >> 18];
    text[out++] = alphabet[group >> 12 & 63];
    if (rest == 2) text[out++] = alphabet[group >> 6 & 63];
  }
  if (!pad) text.resize(out);
  return text;
}

std::optional<std::string> decode(std::string_view text, const Table& table) {
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  std::string data(text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1), '\0');
  const auto digit = [&](std::size_t at) {
    return static_cast<unsigned>(table[static_cast<unsigned char>(text[at])]);
  };
  unsigned seen = 0;  // a foreign character leaves its high bits here
  std::size_t out = 0;
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const unsigned a = digit(i);
    const unsigned b = digit(i + 1);
    const unsigned c = digit(i + 2);
    const unsigned d = digit(i + 3);
    seen |= a | b | c | d;
    const unsigned group = a << 18 | b << 12 | c << 6 | d;
    data[out++] = static_cast<char>(group >> 16);
    data[out++] = static_cast<char>(group >> 8);
    data[out++] = static_cast<char>(group);
  }
  if (rest != 0) {
    const unsigned a = digit(i);
    const unsigned b = digit(i + 1);
    const unsigned c = rest == 3 ? digit(i + 2) : 0;
    seen |= a | b | c;
    const unsigned group = a << 18 | b << 12 | c << 6;
    data[out++] = static_cast<char>(group >> 16);
    if (rest == 3) data[out++] = static_cast<char>(group >> 8);
    // Bits below the last whole byte must be zero: otherwise two texts would stand for the same bytes.
    if ((group & (rest == 3 ? 0xffU : 0xffffU)) != 0) return std::nullopt;
  }
  if (seen > 63) return std::nullopt;
  return data;
}

}  // namespace

std::string base64url_encode(std::string_view data) { return encode(data, kUrl, false); }

std::string base64_encode(std::string_view data) { return encode(data, kStandard, true); }

std::optional<std::string> base64url_decode(std::string_view text) { return decode(text, kFromUrl); }

std::optional<std::string> base64_decode_lenient(std::string_view text) {
  if (text.size() % 4 == 0) {
    if (text.ends_with("==")) {
      text.remove_suffix(2);
    } else if (text.ends_with('=')) {
      text.remove_suffix(1);
    }
  }
  return decode(text, kFromEither);
}

std::string hex_encode(std::string_view data) {
  std::string text;
  text.reserve(data.size() * 2);
  for (const char c : data) {
    text.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string data;
  data.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned char high = kFromHex[static_cast<unsigned char>(text[i])];
    const unsigned char low = kFromHex[static_cast<unsigned char>(text[i + 1])];
    if (high == kForeign || low == kForeign) return std::nullopt;
    data.push_back(static_cast<char>(high << 4 | low));
  }
  return data;
}

}  // namespace keyturn::crypto
