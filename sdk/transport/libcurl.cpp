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

// What is asked of OpenSSL itself, whose headers are not needed for it.
struct OpenSsl {
  std::uint64_t (*set_options)(void* context, std::uint64_t options) = nullptr;
  int (*security_level)(const void* context) = nullptr;
  void (*set_security_level)(void* context, int level) = nullptr;
  void (*set_verify)(void* context, int mode, int (*callback)(int, void*)) = nullptr;
  int (*error_depth)(const void* store) = nullptr;
  void* (*current_certificate)(const void* store) = nullptr;
  void (*set_error)(void* store, int error) = nullptr;
  void* (*data_of)(const void* store, int index) = nullptr;
  int (*index_of_connection)() = nullptr;
  const char* (*server_name)(const void* connection, int type) = nullptr;
  int (*has_name)(void* certificate, const char* name, std::size_t size, unsigned flags,
                  char** peer) = nullptr;
  int (*find_extension)(const void* certificate, int kind, int after) = nullptr;
  bool is_version_3 = false;
};
OpenSsl openssl;

// OpenSSL 3 keeps decrypted bytes until the next ones come, unless SSL_OP_CLEANSE_PLAINTEXT says otherwise.
constexpr std::uint64_t kCleansePlaintext = 1U << 1U;
constexpr int kVerifyPeer = 1;               // SSL_VERIFY_PEER
constexpr int kNameMismatch = 62;            // X509_V_ERR_HOSTNAME_MISMATCH
constexpr int kAlternativeNames = 85;        // NID_subject_alt_name
constexpr unsigned kNameFlags = 0x4 | 0x20;  // no wildcard of a part, never the subject
constexpr int kLeastSecurity = 2;            // 112 bits: no SHA-1, no RSA below 2048

// libcurl takes a name from the subject when a certificate has no alternative ones, which has not been a
// proof of a name for long (RFC 9525 section 2). It looks only after the handshake, too.
int check_name(int good, void* store) {
  if (good != 1 || openssl.error_depth(store) != 0) return good;
  void* const certificate = openssl.current_certificate(store);
  const void* const connection = openssl.data_of(store, openssl.index_of_connection());
  const char* const name = openssl.server_name(connection, 0);  // none for an address, which libcurl compares
  const bool fits = name != nullptr ? openssl.has_name(certificate, name, 0, kNameFlags, nullptr) == 1
                                    : openssl.find_extension(certificate, kAlternativeNames, -1) >= 0;
  if (fits) return 1;
  openssl.set_error(store, kNameMismatch);
  return 0;
}

CURLcode harden(CURL*, void* context, void*) {
  if (openssl.is_version_3) openssl.set_options(context, kCleansePlaintext);
  if (openssl.security_level(context) < kLeastSecurity) openssl.set_security_level(context, kLeastSecurity);
  openssl.set_verify(context, kVerifyPeer, &check_name);
  return CURLE_OK;
}

template <class Function>
bool found(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

// Looked for in what libcurl brought along, not in what the program may have linked.
bool load_openssl(void* library) {
  return found(library, "SSL_CTX_set_options", openssl.set_options) &&
         found(library, "SSL_CTX_get_security_level", openssl.security_level) &&
         found(library, "SSL_CTX_set_security_level", openssl.set_security_level) &&
         found(library, "SSL_CTX_set_verify", openssl.set_verify) &&
         found(library, "X509_STORE_CTX_get_error_depth", openssl.error_depth) &&
         found(library, "X509_STORE_CTX_get_current_cert", openssl.current_certificate) &&
         found(library, "X509_STORE_CTX_set_error", openssl.set_error) &&
         found(library, "X509_STORE_CTX_get_ex_data", openssl.data_of) &&
         found(library, "SSL_get_ex_data_X509_STORE_CTX_idx", openssl.index_of_connection) &&
         found(library, "SSL_get_servername", openssl.server_name) &&
         found(library, "X509_check_host", openssl.has_name) &&
         found(library, "X509_get_ext_by_NID", openssl.find_extension);
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
  if (tls != nullptr && std::string_view(tls).starts_with("OpenSSL/")) {
    openssl.is_version_3 = std::string_view(tls).starts_with("OpenSSL/3");
    if (!load_openssl(library)) return false;
    out.harden_tls = &harden;
  }
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
