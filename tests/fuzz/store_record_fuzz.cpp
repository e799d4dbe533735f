// SPDX-License-Identifier: Apache-2.0
// The records of the token store: bytes that were never written by it, below the seal and around it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/crypto/aead.hpp"
#include "sdk/token_store/record_codec.hpp"
#include "sdk/token_store/sqlite/store_seal.hpp"

namespace {

using namespace keyturn;

/// What was read must be written as it was.
void same(const Secret& written, std::string_view read) {
  if (written.reveal() != read) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::string_view rest = input.substr(1);
  static const sdk::StoreSeal seal(Secret(std::string(64, 'k')), std::string(16, 'i'), "app",
                                   "https://server.test");
  switch (input[0] & 3) {
    case 0:
      // A reason that this version does not know reads as none and is not written again.
      if (const auto user = sdk::read_user(rest)) {
        const auto again = sdk::read_user(sdk::write_user(*user).reveal());
        if (!again || again->user_id != user->user_id) std::abort();
      }
      break;
    case 1:
      if (const auto head = sdk::read_head(rest)) {
        const auto again = sdk::read_head(sdk::write_head(*head).reveal());
        if (!again || again->manifest != head->manifest) std::abort();
      }
      break;
    case 2:
      if (const auto book = sdk::read_book(rest)) {
        const Secret once = sdk::write_book(*book);
        const auto again = sdk::read_book(once.reveal());
        if (!again) std::abort();
        same(sdk::write_book(*again), once.reveal());
      }
      break;
    default:
      if (const auto header = sdk::read_good_copy_header(rest)) {
        if (sdk::open_good_copy(seal, *header)) std::abort();  // a forgery
      }
      if (seal.open("head", 1, rest)) std::abort();
  }
  return 0;
}
