// SPDX-License-Identifier: Apache-2.0
// The way out that an app configures: proxy, authorities, pinned keys (rows B-27 and B-28 in small).
#include "sdk/transport/transport_options.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "sdk/transport/curl_loop.hpp"
#include "sdk/transport/testing/raw_server.hpp"
#include "sdk/transport/testing/tls_server.hpp"

namespace keyturn::sdk {
namespace {

const std::string kPin = "sha256//" + std::string(43, 'A') + "=";

Result<HttpResponse> get(const NetworkConfiguration& network, const std::string& url) {
  CurlLoop loop(system_clock(), *transport_options(network));
  CurlTransport transport(loop);
  std::promise<Result<HttpResponse>> answer;
  transport.send({.method = "GET",
                  .url = url,
                  .headers = {{"Authorization", "Bearer canary"}},
                  .timeout = std::chrono::seconds{10}},
                 [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  auto result = answer.get_future().get();
  loop.stop();
  return result;
}

TEST(TransportOptions, AreRefusedWhenTheyCannotWork) {
  for (const char* proxy :
       {"proxy.example:3128", "ftp://proxy.example", "http://", "http://a b", "http://a\nb", "DIRECT"})
    EXPECT_EQ(transport_options({.proxy = proxy}).error().code, ErrorCode::InvalidConfiguration) << proxy;
  for (const char* proxy : {"", "direct", "http://p:1", "https://p", "socks5://p:2", "socks5h://u:p@p:2"})
    EXPECT_TRUE(transport_options({.proxy = proxy})) << proxy;
  EXPECT_FALSE(transport_options({.ca_file = "/nowhere/at/all.pem"}));
  for (const std::string& pin : {std::string("sha256//"), kPin.substr(1), kPin + "=",
                                 std::string("sha1//") + kPin.substr(8), kPin.substr(0, 50) + ";="})
    EXPECT_FALSE(transport_options({.pinned_keys = {pin}})) << pin;
  EXPECT_EQ(transport_options({.pinned_keys = {kPin, kPin}})->pinned_keys, kPin + ";" + kPin);
  EXPECT_FALSE(transport_options({.attempt_timeout = std::chrono::milliseconds(0)}));
}

TEST(Proxy, CarriesRequestsToAPlainServer) {
  std::string seen;
  RawServer proxy([&](RawPeer& peer) {
    seen = peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  });
  const auto answer = get({.proxy = proxy.url("")}, "http://server.test/x");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(seen.starts_with("GET http://server.test/x HTTP/1.1\r\n")) << seen;
}

// What a proxy is asked for a tunnel holds nothing of the request.
TEST(Proxy, SeesNoTokenOfAnHttpsRequest) {
  std::string seen;
  RawServer proxy([&](RawPeer& peer) {
    seen = peer.read_request();
    peer.write("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n");
  });
  const auto answer = get({.proxy = proxy.url("")}, "https://server.test/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::NetworkError);
  EXPECT_TRUE(seen.starts_with("CONNECT server.test:443 HTTP/1.1\r\n")) << seen;
  EXPECT_EQ(seen.find("canary"), std::string::npos);
}

TEST(Proxy, DirectMeansNone) {
  RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  EXPECT_EQ(get({.proxy = "direct"}, server.url("/x"))->status, 204);
}

TEST(PinnedKeys, OneOfThemMustBeShownAndTheCertificateMustBeGoodAsWell) {
  TlsServer server;
  ASSERT_TRUE(server.started()) << "no openssl program; script/bootstrap installs it";
  const std::string url = "https://localhost:" + server.port() + "/";
  EXPECT_FALSE(get({}, url)) << "an authority that nobody knows";
  EXPECT_TRUE(get({.ca_file = server.certificate()}, url));
  EXPECT_TRUE(get({.ca_file = server.certificate(), .pinned_keys = {kPin, server.pin()}}, url));
  const auto other = get({.ca_file = server.certificate(), .pinned_keys = {kPin}}, url);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::NetworkError);
  EXPECT_FALSE(get({.pinned_keys = {server.pin()}}, url)) << "a pin does not stand in for a certificate";
  EXPECT_EQ(server.output_so_far().find("canary"), std::string::npos);
}

}  // namespace
}  // namespace keyturn::sdk
