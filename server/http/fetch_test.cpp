// SPDX-License-Identifier: Apache-2.0
#include "server/http/fetch.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "server/http/listener.hpp"

namespace keyturn::server::http {
namespace {

/// A site whose answers depend on the path.
class Site final : public protocol::RequestHandler {
 public:
  Site() : listener(*this, system_clock(), {}) { EXPECT_TRUE(listener.start()); }
  ~Site() override { listener.stop(); }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(listener.local_port()) + path;
  }
  [[nodiscard]] protocol::Plan plan(std::string_view, std::string_view) const noexcept override { return {}; }
  void handle(HttpRequest request, protocol::Respond respond) override {
    if (request.url == "/keys?x=1") return respond(HttpResponse{200, {}, R"({"keys":[]})"});
    if (request.url == "/moved") return respond(HttpResponse{302, {{"Location", url("/keys?x=1")}}, ""});
    if (request.url == "/long") return respond(HttpResponse{200, {}, std::string(65'536, 'x')});
    if (request.url == "/longer") return respond(HttpResponse{200, {}, std::string(65'537, 'x')});
    if (request.url == "/never") {
      kept = std::move(respond);
      return;
    }
    respond(HttpResponse{404, {}, ""});
  }
  [[nodiscard]] HttpResponse refuse(int status, std::string_view, const HttpRequest&) override {
    return {status, {}, ""};
  }

  protocol::Respond kept;
  Listener listener;
};

FetchOptions local() {
  FetchOptions options;
  options.allow_private_addresses = true;
  return options;
}

TEST(Fetcher, GetsTheBodyOfA200) {
  const Site site;
  Fetcher fetcher(local(), system_clock());
  const Result<std::string> body = fetcher.get(site.url("/keys?x=1"));
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body, R"({"keys":[]})");
}

TEST(Fetcher, FollowsNoRedirectAndTakesNoOtherStatus) {
  const Site site;
  Fetcher fetcher(local(), system_clock());
  for (const char* path : {"/moved", "/missing"}) {
    const Result<std::string> body = fetcher.get(site.url(path));
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, ErrorCode::ServiceUnavailable);
  }
}

TEST(Fetcher, LimitsTheSize) {
  const Site site;
  Fetcher fetcher(local(), system_clock());
  EXPECT_TRUE(fetcher.get(site.url("/long")));
  EXPECT_FALSE(fetcher.get(site.url("/longer")));
}

TEST(Fetcher, LimitsTheWholeTime) {
  Site site;
  FetchOptions options = local();
  options.deadline = std::chrono::milliseconds(100);
  Fetcher fetcher(options, system_clock());
  const auto begin = system_clock().boot_now();
  EXPECT_FALSE(fetcher.get(site.url("/never")));
  EXPECT_LT(system_clock().boot_now() - begin, std::chrono::seconds(2));
  site.kept(HttpResponse{200, {}, ""});
}

TEST(Fetcher, RefusesPrivateAddressesByDefault) {
  const Site site;
  Fetcher fetcher({}, system_clock());
  for (const std::string& url :
       {site.url("/keys?x=1"), std::string("http://localhost/"), std::string("https://[::1]/"),
        std::string("http://[::ffff:10.0.0.1]/"), std::string("http://2130706433/")}) {
    const Result<std::string> body = fetcher.get(url);
    ASSERT_FALSE(body) << url;
  }
  EXPECT_EQ(fetcher.get(site.url("/")).error().code, ErrorCode::InvalidConfiguration);
}

TEST(Fetcher, RefusesWhatIsNoWebAddress) {
  Fetcher fetcher(local(), system_clock());
  for (const char* url : {"", "file:///etc/passwd", "http://", "http://a:b/", "http://u@h/",
                          "http://a:123456/", "http://a /", "http://[::1", "http://h/\r\nX: y"}) {
    const Result<std::string> body = fetcher.get(url);
    ASSERT_FALSE(body) << url;
    EXPECT_EQ(body.error().code, ErrorCode::InvalidConfiguration) << url;
  }
}

TEST(Fetcher, KnowsPublicAddresses) {
  for (const char* address :
       {"93.184.216.34", "8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1", "11.0.0.0"}) {
    EXPECT_TRUE(is_public_address(address)) << address;
  }
  for (const char* address : {"127.0.0.1",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1",
                              "fc00::1",
                              "fd12::1",
                              "ff02::1",
                              "::ffff:8.8.8.8",
                              "64:ff9b::a00:1",
                              "2002:a00:1::",
                              "2001:db8::1",
                              "nonsense"}) {
    EXPECT_FALSE(is_public_address(address)) << address;
  }
}

}  // namespace
}  // namespace keyturn::server::http
