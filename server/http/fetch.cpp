// SPDX-License-Identifier: Apache-2.0
#include "server/http/fetch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/thread_name.hpp"
#include "server/http/request_head.hpp"

namespace keyturn::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string target;
};

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (equals_ignoring_case(text.substr(0, 8), "https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (equals_ignoring_case(text.substr(0, 7), "http://")) {
    text.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\') return std::nullopt;
  }
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  url.target = end < text.size() && text[end] == '/' ? std::string(text.substr(end))
                                                     : "/" + std::string(text.substr(end));
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  url.port = url.tls ? "443" : "80";
  if (!authority.empty()) {
    url.port = authority.substr(1);
    const bool digits =
        std::all_of(url.port.begin(), url.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (authority.front() != ':' || !digits || url.port.empty() || url.port.size() > 5) return std::nullopt;
  }
  if (url.host.empty()) return std::nullopt;
  return url;
}

bool is_public(const asio::ip::address_v4& address) {
  static const std::array<asio::ip::network_v4, 15> kNot = {
      asio::ip::make_network_v4("0.0.0.0/8"),      asio::ip::make_network_v4("10.0.0.0/8"),
      asio::ip::make_network_v4("100.64.0.0/10"),  asio::ip::make_network_v4("127.0.0.0/8"),
      asio::ip::make_network_v4("169.254.0.0/16"), asio::ip::make_network_v4("172.16.0.0/12"),
      asio::ip::make_network_v4("192.0.0.0/24"),   asio::ip::make_network_v4("192.0.2.0/24"),
      asio::ip::make_network_v4("192.88.99.0/24"), asio::ip::make_network_v4("192.168.0.0/16"),
      asio::ip::make_network_v4("198.18.0.0/15"),  asio::ip::make_network_v4("198.51.100.0/24"),
      asio::ip::make_network_v4("203.0.113.0/24"), asio::ip::make_network_v4("224.0.0.0/4"),
      asio::ip::make_network_v4("240.0.0.0/4")};
  return std::none_of(kNot.begin(), kNot.end(), [&](const asio::ip::network_v4& network) {
    return (address.to_uint() & network.netmask().to_uint()) == network.network().to_uint();
  });
}

bool is_public(const asio::ip::address& address) {
  if (address.is_v4()) return is_public(address.to_v4());
  const auto bytes = address.to_v6().to_bytes();
  // Global unicast is 2000::/3; in it 2002::/16 and 2001::/32 carry an IPv4 address, 2001:db8::/32 is for
  // documents.
  if ((bytes[0] & 0xe0) != 0x20) return false;
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return false;
  const bool special =
      bytes[0] == 0x20 && bytes[1] == 0x01 && (bytes[2] < 2 || (bytes[2] == 0x0d && bytes[3] == 0xb8));
  return !special;
}

using Endpoints = std::vector<tcp::endpoint>;

Error passing(const std::string& what) {
  return Error(ErrorCode::ServiceUnavailable, "fetching the document failed: " + what);
}

template <class Stream>
asio::awaitable<std::string> exchange(Stream& stream, const Url& url, std::size_t max_body_bytes) {
  beast::http::request<beast::http::empty_body> request(beast::http::verb::get, url.target, 11);
  const bool default_port = url.port == (url.tls ? "443" : "80");
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  request.set(beast::http::field::host, default_port ? host : host + ":" + url.port);
  request.set(beast::http::field::accept, "application/json");
  request.set(beast::http::field::connection, "close");
  co_await beast::http::async_write(stream, request, asio::use_awaitable);
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(max_body_bytes);
  parser.header_limit(16 * 1024);
  co_await beast::http::async_read(stream, buffer, parser, asio::use_awaitable);
  if (parser.get().result_int() != 200)
    throw std::runtime_error("status " + std::to_string(parser.get().result_int()));
  co_return std::move(parser.get().body());
}

asio::awaitable<void> fetch(asio::io_context& io, const Url& url, const Endpoints& endpoints,
                            std::size_t max_body_bytes, std::string& body) {
  if (!url.tls) {
    tcp::socket socket(io);
    co_await asio::async_connect(socket, endpoints, asio::use_awaitable);
    body = co_await exchange(socket, url, max_body_bytes);
    co_return;
  }
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_default_verify_paths();
  tls.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<tcp::socket> stream(io, tls);
  const asio::ssl::host_name_verification verification(url.host);
  stream.set_verify_callback(verification);
  if (SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str()) != 1)
    throw std::runtime_error("TLS");
  co_await asio::async_connect(stream.next_layer(), endpoints, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  body = co_await exchange(stream, url, max_body_bytes);
}

}  // namespace

bool is_public_address(std::string_view address) noexcept {
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(std::string(address), error);
  return !error && is_public(parsed);
}

/// Names are looked up by a thread of its own, since the system's look-up cannot be cut short.
class Fetcher::Resolver {
 public:
  Resolver()
      : work_(io_.get_executor()), thread_([this] {
          name_thread("resolver");
          io_.run();
        }) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver() {
    io_.stop();
    thread_.join();
  }

  std::optional<Endpoints> resolve(const Url& url, std::chrono::milliseconds deadline) {
    const auto found = std::make_shared<std::promise<Endpoints>>();
    const auto resolver = std::make_shared<tcp::resolver>(io_);
    resolver->async_resolve(
        url.host, url.port, tcp::resolver::numeric_service,
        [found, resolver](const boost::system::error_code&, const tcp::resolver::results_type& results) {
          Endpoints endpoints;
          for (const auto& entry : results) endpoints.push_back(entry.endpoint());
          found->set_value(std::move(endpoints));
        });
    auto future = found->get_future();
    if (future.wait_for(deadline) != std::future_status::ready) return std::nullopt;
    return future.get();
  }

 private:
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

Fetcher::Fetcher(FetchOptions options, Clock& clock)
    : options_(options), clock_(clock), resolver_(std::make_unique<Resolver>()) {}
Fetcher::~Fetcher() = default;

Result<std::string> Fetcher::get(std::string_view text) {
  const BootTime until = clock_.boot_now() + options_.deadline;
  const std::optional<Url> url = parse_url(text);
  if (!url) return Error(ErrorCode::InvalidConfiguration, "not an http or https URL");

  const std::optional<Endpoints> found = resolver_->resolve(*url, options_.deadline);
  if (!found) return passing("the name was not found in time");
  if (found->empty()) return passing("the name was not found");
  Endpoints endpoints = *found;
  if (!options_.allow_private_addresses) {
    std::erase_if(endpoints, [](const tcp::endpoint& endpoint) { return !is_public(endpoint.address()); });
    if (endpoints.empty())
      return Error(ErrorCode::InvalidConfiguration, "the URL leads to a private address");
  }

  asio::io_context io{1};
  std::string body;
  std::optional<std::string> failure = "it took too long";
  const auto done = [&failure](const std::exception_ptr& thrown) {
    failure.reset();
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      failure = e.what();
    }
  };
  asio::co_spawn(io, fetch(io, *url, endpoints, options_.max_body_bytes, body), done);
  io.run_for(std::chrono::ceil<std::chrono::milliseconds>(
      std::max(until - clock_.boot_now(), BootClock::duration{0})));
  if (failure) return passing(*failure);
  return body;
}

}  // namespace keyturn::server::http
