// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

namespace keyturn::sdk {

/// The functions of libcurl that are used. They are looked up in the library when the first request is made:
/// to load it and the two dozen libraries behind it takes a multiple of the time that a stored token does,
/// and some MiB.
struct Libcurl {
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_pause) easy_pause = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
  decltype(&curl_multi_init) multi_init = nullptr;
  decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&curl_multi_perform) multi_perform = nullptr;
  decltype(&curl_multi_info_read) multi_info_read = nullptr;
  decltype(&curl_multi_poll) multi_poll = nullptr;
  decltype(&curl_multi_wakeup) multi_wakeup = nullptr;
  /// Makes OpenSSL overwrite what it has decrypted once it was read, refuse weak keys and hashes whatever the
  /// system allows, and look for the server's name among the alternative names of its certificate alone,
  /// within the handshake. Null with another TLS library.
  curl_ssl_ctx_callback harden_tls = nullptr;
};

/// Loaded and initialized by the first call, and kept for as long as the program runs. What libcurl frees is
/// wiped first (row B-33), unless the program had libcurl running before. Null: `libcurl.so.4` is not
/// installed, too old, or cannot be loaded at the moment. Thread safety: any thread.
[[nodiscard]] const Libcurl* libcurl();

}  // namespace keyturn::sdk
