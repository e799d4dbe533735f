// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/curl_transfer.hpp"

#include <algorithm>

#include "core/protocol/routes.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{64} * 1024;
constexpr std::size_t kMostBodyBytes = std::size_t{20} * 1'000'000;
// What a refresh or log-in may cost in memory, whoever answers it (row B-26).
constexpr std::size_t kMostAuthBytes = std::size_t{512} * 1024;
constexpr std::size_t kFirstBodyBytes = 4'096;
constexpr long kConnectTimeoutMs = 15'000;
// Less than servers keep an idle connection, so that a request seldom meets its end.
constexpr long kLongestIdleSeconds = 60;

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

CurlTransfer::CurlTransfer(HttpRequest request, HttpTransport::Callback done)
    : request_(std::move(request)),
      done_(std::move(done)),
      curl_(libcurl()),
      handle_(curl_ == nullptr ? nullptr : curl_->easy_init()) {}

CurlTransfer::CurlTransfer(HttpRequest request, std::shared_ptr<CurlStream> stream)
    : CurlTransfer(std::move(request), [stream](const Result<HttpResponse>& response) {
        stream->end(response ? Result<void>() : Result<void>(response.error()));
      }) {
  stream_ = std::move(stream);
}

CurlTransfer::~CurlTransfer() {
  if (curl_ != nullptr) {
    curl_->easy_cleanup(handle_);
    curl_->slist_free_all(header_lines_);
  }
  wipe_message(request_);
  wipe_message(response_);
}

void CurlTransfer::set_method() {
  const bool has_body = !request_.body.empty();
  if (request_.method == "GET" && !has_body) return;
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  const bool may_create = request_.method == "POST" || request_.method == "PATCH";
  if (has_body && may_create) {
    // Such a request may take effect twice (RFC 9110 section 9.2.2). libcurl repeats on a fresh connection
    // what a used one did not answer, unless it would have to rewind a body for that and cannot.
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_READFUNCTION, &CurlTransfer::give_body);
    set(CURLOPT_READDATA, this);
  } else if (has_body || may_create || request_.method == "PUT") {
    // POST and PUT always carry a length, 0 too (RFC 9110 section 8.6).
    set(CURLOPT_POSTFIELDS, request_.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void CurlTransfer::set_limits() {
  const auto timeout = std::max<std::int64_t>(1, request_.timeout.count());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(timeout, kConnectTimeoutMs)));
  if (stream_) {
    set(CURLOPT_TCP_KEEPALIVE, 1L);  // the loop limits the time to the head
    return;
  }
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(most_body_bytes()));
}

std::size_t CurlTransfer::most_body_bytes() const {
  const std::size_t api = request_.url.find(protocol::kClientPrefix);
  const bool is_auth = api != std::string::npos && request_.url.find("/auth/", api) != std::string::npos;
  return is_auth ? kMostAuthBytes : kMostBodyBytes;
}

void CurlTransfer::set_way(const TransportOptions& options) {
  if (options.no_proxy) {
    set(CURLOPT_NOPROXY, "*");
  } else if (!options.proxy.empty()) {
    set(CURLOPT_PROXY, options.proxy.c_str());
    set(CURLOPT_NOPROXY, "");  // what an app says goes before the environment
  }
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (curl_->harden_tls != nullptr) set(CURLOPT_SSL_CTX_FUNCTION, curl_->harden_tls);
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  if (!options.ca_file.empty()) {
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, nullptr);
  }
  if (!options.pinned_keys.empty()) set(CURLOPT_PINNEDPUBLICKEY, options.pinned_keys.c_str());
}

Result<void> CurlTransfer::prepare(const TransportOptions& options) {
  if (curl_ == nullptr) return Error(ErrorCode::NetworkError, "libcurl.so.4 cannot be loaded");
  if (handle_ == nullptr) return Error(ErrorCode::NetworkError, "no memory for a transfer");
  if (has_line_break(request_.url) || has_line_break(request_.method))
    return Error(ErrorCode::InvalidConfiguration, "the address has a line break");
  // libcurl would add its own Expect and Content-Type lines, which no server here asks for.
  const bool has_content_type = find_header(request_.headers, "Content-Type").has_value();
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_->slist_append(header_lines_, line.c_str());
    if (longer == nullptr) {
      out_of_memory_ = true;
    } else {
      header_lines_ = longer;
    }
  };
  append("Expect:");
  for (const auto& [name, value] : request_.headers) {
    if (has_line_break(name) || has_line_break(value))
      return Error(ErrorCode::InvalidConfiguration, "a header line has a line break");
    std::string line = name;
    line.reserve(name.size() + 2 + value.size());
    line += value.empty() ? ";" : ": ";
    line += value;
    append(line);
    wipe_memory(line.data(), line.size());
  }
  if (!has_content_type) append("Content-Type:");
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // rule S8
  set(CURLOPT_HTTPHEADER, header_lines_);
  set(CURLOPT_USERAGENT, "keyturn");
  set(CURLOPT_NOSIGNAL, 1L);
  set_limits();
  set_way(options);
  set(CURLOPT_MAXAGE_CONN, kLongestIdleSeconds);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // Do not wait for a name server when a transfer ends before its answer: everyone else would wait as well.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::take_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::take_body);
  set(CURLOPT_WRITEDATA, this);
  set_method();
  // A request without its Authorization line would be refused, and be taken for the end of a session; a key
  // that was not pinned would be trusted.
  if (out_of_memory_) return Error(ErrorCode::NetworkError, "no memory for a transfer");
  return {};
}

std::size_t CurlTransfer::give_body(char* to, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<CurlTransfer*>(transfer);
  const std::size_t given = self.request_.body.copy(to, size * count, self.body_given_);
  self.body_given_ += given;
  return given;
}

std::size_t CurlTransfer::take_header(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<CurlTransfer*>(transfer);
  const std::string_view line(data, size * count);
  self.header_bytes_ += line.size();
  if (self.header_bytes_ > kMostHeaderBytes) {
    self.too_large_ = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    self.head_complete_ = false;
    self.response_.headers.clear();  // the final answer follows an interim one (RFC 9110 section 15.2)
    return line.size();
  }
  self.head_complete_ = trimmed(line).empty();
  if (self.head_complete_ && !self.tell_head()) return 0;
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    self.response_.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

// False when nobody wants to know any more.
bool CurlTransfer::tell_head() {
  if (!stream_) return true;
  long status = 0;
  curl_->easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || stream_->has_head) return true;  // an interim answer, or trailers
  stream_->has_head = true;
  response_.status = static_cast<int>(status);
  if (!stream_->cancelled) stream_->handlers.on_head(response_);
  return !stream_->cancelled;
}

std::size_t CurlTransfer::take_body(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<CurlTransfer*>(transfer);
  const std::size_t bytes = size * count;
  if (self.stream_) {
    if (self.stream_->cancelled) return 0;
    return self.stream_->handlers.on_bytes({data, bytes}) ? bytes : CURL_WRITEFUNC_PAUSE;
  }
  if (self.response_.body.size() + bytes > self.most_body_bytes()) {
    self.too_large_ = true;
    return 0;
  }
  self.append_to_body({data, bytes});
  return bytes;
}

// As `append`, which would leave what it outgrows in freed memory.
void CurlTransfer::append_to_body(std::string_view bytes) {
  std::string& body = response_.body;
  const std::size_t needed = body.size() + bytes.size();
  if (needed > body.capacity()) {
    std::string larger;
    larger.reserve(std::max({needed, 2 * body.capacity(), kFirstBodyBytes}));
    larger.append(body);
    wipe_memory(body.data(), body.size());
    body.swap(larger);
  }
  body.append(bytes);
}

Result<HttpResponse> CurlTransfer::outcome(CURLcode code) {
  // libcurl takes a connection that ends between two header lines for a complete answer.
  if (code == CURLE_OK && !head_complete_) code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK) {
    long status = 0;
    curl_->easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }
  if (code == CURLE_OPERATION_TIMEDOUT)
    return Error(ErrorCode::DeadlineExceeded, "no answer within the time limit");
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED)
    return Error(ErrorCode::NetworkError, "the answer is too large");
  if (code == CURLE_SEND_FAIL_REWIND)
    return Error(ErrorCode::NetworkError, "the connection was closed before an answer came");
  // libcurl's texts name the fault, never the address or a header.
  return Error(ErrorCode::NetworkError, std::string("the exchange failed: ") + curl_->easy_strerror(code));
}

}  // namespace keyturn::sdk
