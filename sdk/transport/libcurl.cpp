// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/libcurl.hpp"

#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {
namespace {

// Header lines and bodies pass through libcurl's buffers. Their size is the allocator's to tell.
void wipe_and_free(void* place) {
  if (place == nullptr) return;
  wipe_memory(place, ::malloc_usable_size(place));
  std::free(place);
}
void* take(std::size_t size) { return std::malloc(size); }
void* take_zeroed(std::size_t count, std::size_t size) { return std::calloc(count, size); }
void* move_to_larger(void* place, std::size_t size) {
  if (place == nullptr) return std::malloc(size);
  const std::size_t held = ::malloc_usable_size(place);
  if (size <= held) return place;
  void* const larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, place, held);
  wipe_and_free(place);
  return larger;
}
char* copy_of(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* const copy = static_cast<char*>(std::malloc(size));
  if (copy != nullptr) std::memcpy(copy, text, size);
  return copy;
}

// OpenSSL 3 keeps decrypted bytes until the next ones come, unless SSL_OP_CLEANSE_PLAINTEXT says otherwise.
constexpr std::uint64_t kCleansePlaintext = 1U << 1U;
using SetOptions = std::uint64_t (*)(void* context, std::uint64_t options);
SetOptions openssl_set_options = nullptr;

CURLcode ask_to_cleanse(CURL*, void* context, void*) {
  openssl_set_options(context, kCleansePlaintext);
  return CURLE_OK;
}

template <class Function>
bool found(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool load(Libcurl& out) {
  // Several names are in use for one interface; this is the one of the flavour with OpenSSL.
  void* const library = ::dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return false;
  decltype(&curl_global_init_mem) start = nullptr;
  decltype(&curl_version_info) version = nullptr;
  const bool complete = found(library, "curl_global_init_mem", start) &&
                        found(library, "curl_version_info", version) &&
                        found(library, "curl_easy_init", out.easy_init) &&
                        found(library, "curl_easy_cleanup", out.easy_cleanup) &&
                        found(library, "curl_easy_setopt", out.easy_setopt) &&
                        found(library, "curl_easy_getinfo", out.easy_getinfo) &&
                        found(library, "curl_easy_pause", out.easy_pause) &&
                        found(library, "curl_easy_strerror", out.easy_strerror) &&
                        found(library, "curl_slist_append", out.slist_append) &&
                        found(library, "curl_slist_free_all", out.slist_free_all) &&
                        found(library, "curl_multi_init", out.multi_init) &&
                        found(library, "curl_multi_cleanup", out.multi_cleanup) &&
                        found(library, "curl_multi_add_handle", out.multi_add_handle) &&
                        found(library, "curl_multi_remove_handle", out.multi_remove_handle) &&
                        found(library, "curl_multi_perform", out.multi_perform) &&
                        found(library, "curl_multi_info_read", out.multi_info_read) &&
                        found(library, "curl_multi_poll", out.multi_poll) &&
                        found(library, "curl_multi_wakeup", out.multi_wakeup);
  if (!complete ||
      start(CURL_GLOBAL_DEFAULT, take, wipe_and_free, move_to_larger, copy_of, take_zeroed) != CURLE_OK)
    return false;
  const char* const tls = version(CURLVERSION_NOW)->ssl_version;
  // Looked for in what libcurl brought along, not in what the program may have linked.
  if (tls != nullptr && std::string_view(tls).starts_with("OpenSSL/3") &&
      found(library, "SSL_CTX_set_options", openssl_set_options))
    out.cleanse_after_reading = &ask_to_cleanse;
  return true;
}

}  // namespace

const Libcurl* libcurl() {
  static std::mutex mutex;
  static Libcurl functions;
  static std::atomic<const Libcurl*> loaded{nullptr};
  if (const Libcurl* const ready = loaded.load(std::memory_order_acquire)) return ready;
  const std::scoped_lock lock(mutex);
  // What was missing, such as memory, may be there the next time.
  if (loaded.load(std::memory_order_relaxed) == nullptr && load(functions)) loaded = &functions;
  return loaded;
}

}  // namespace keyturn::sdk
