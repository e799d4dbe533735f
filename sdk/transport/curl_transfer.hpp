// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "sdk/transport/curl_stream.hpp"
#include "sdk/transport/libcurl.hpp"
#include "sdk/transport/transport.hpp"
#include "sdk/transport/transport_options.hpp"

namespace keyturn::sdk {

/// One request on its way. Belongs to the loop's thread. Its address is given to libcurl, so it stays where
/// it was made.
class CurlTransfer {
 public:
  CurlTransfer(HttpRequest request, HttpTransport::Callback done);
  /// A stream: head and body are told as they come, the end by the callback.
  CurlTransfer(HttpRequest request, std::shared_ptr<CurlStream> stream);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer();

  [[nodiscard]] CURL* handle() const noexcept { return handle_; }
  /// Nothing for a request whose answer is told as a whole.
  [[nodiscard]] const std::shared_ptr<CurlStream>& stream() const noexcept { return stream_; }
  /// Sets up the handle; an error names what is wrong with the request.
  Result<void> prepare(const TransportOptions& options);
  /// What came of it, and the callback to be told; once.
  [[nodiscard]] Result<HttpResponse> outcome(CURLcode code);
  [[nodiscard]] HttpTransport::Callback take_callback() { return std::move(done_); }

 private:
  static std::size_t give_body(char* to, std::size_t size, std::size_t count, void* transfer);
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* transfer);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* transfer);
  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_->easy_setopt(handle_, option, value) == CURLE_OUT_OF_MEMORY) out_of_memory_ = true;
  }
  void set_method();
  void set_limits();
  void set_way(const TransportOptions& options);
  bool tell_head();
  [[nodiscard]] std::size_t most_body_bytes() const;
  void append_to_body(std::string_view bytes);

  HttpRequest request_;
  HttpTransport::Callback done_;
  std::shared_ptr<CurlStream> stream_;
  std::size_t body_given_ = 0;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false;
  bool too_large_ = false;
  bool out_of_memory_ = false;  ///< While it was prepared: something that was asked for is not set.
  const Libcurl* const curl_;   ///< Null: there is none.
  CURL* const handle_;
  curl_slist* header_lines_ = nullptr;
};

}  // namespace keyturn::sdk
