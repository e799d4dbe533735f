// SPDX-License-Identifier: Apache-2.0
// Row B-27: who shows a certificate that does not prove the server's name gets no byte of a credential, and
// the session is kept. A few good ones show that the rig can tell.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "sdk/transport/transport_options.hpp"
#include "tests/faults/network_certificates.hpp"
#include "tests/faults/network_rig.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

constexpr const char* kName = "api.keyturn.localhost";  // which is this machine (RFC 6761 section 6.3)
constexpr const char* kAddress = "127.0.0.1";

/// What a server shows, and what the device was told.
struct Shown {
  Identity leaf;
  std::vector<Identity> between{};  ///< Sent along.
  std::string host = kName;
  std::optional<Certificate> trusted{};  ///< In place of the usual authority.
  std::string pin{};
  int oldest = TLS1_2_VERSION;
  int newest = 0;
  const char* ciphers = nullptr;
};

/// Answers each refresh that reaches it, on a thread.
class ShownServer {
 public:
  explicit ShownServer(const Shown& shown) : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_security_level(context, 0);  // it does whatever it is told
    SSL_CTX_set_min_proto_version(context, shown.oldest);
    SSL_CTX_set_max_proto_version(context, shown.newest);
    if (shown.ciphers != nullptr) {
      SSL_CTX_set_cipher_list(context, shown.ciphers);
    } else if (SSL_CTX_use_certificate(context, shown.leaf.certificate.get()) != 1 ||
               SSL_CTX_use_PrivateKey(context, shown.leaf.key.get()) != 1) {
      throw std::runtime_error("openssl does not serve this certificate");
    }
    for (const Identity& each : shown.between) SSL_CTX_add1_chain_cert(context, each.certificate.get());
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw std::runtime_error("no port for a server");
    url_ = "https://" + shown.host + ":" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { run(); });
  }
  ShownServer(const ShownServer&) = delete;
  ShownServer& operator=(const ShownServer&) = delete;
  ~ShownServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] const std::string& base_url() const { return url_; }
  std::atomic<int> connections = 0;
  std::atomic<int> bytes = 0;  ///< That were not of a handshake.

 private:
  void run() {
    for (;;) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      ++connections;
      SSL* const talk = SSL_new(context_.get());
      SSL_set_fd(talk, peer);
      if (SSL_accept(talk) == 1) answer(talk);
      SSL_free(talk);
      ::close(peer);
    }
  }
  void answer(SSL* talk) {
    std::string seen;
    char some[4096];
    while (seen.find("\r\n\r\n") == std::string::npos) {
      const int got = SSL_read(talk, some, sizeof some);
      if (got <= 0) return;
      bytes += got;
      seen.append(some, static_cast<std::size_t>(got));
    }
    const std::string body = R"({"access_token":"eyJhbGciOiJub25lIn0.e30.new"})";
    const std::string head =
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n";
    SSL_write(talk, (head + body).data(), static_cast<int>(head.size() + body.size()));
    SSL_shutdown(talk);
  }

  std::shared_ptr<SSL_CTX> context_;
  int listener_ = -1;
  std::string url_;
  std::thread thread_;
};

class NetworkTls : public ::testing::Test {
 protected:
  NetworkTls() { std::signal(SIGPIPE, SIG_IGN); }

  /// What the refresh of a stored user comes to; nothing when it worked.
  std::optional<Error> refresh_against(const Shown& shown) {
    ShownServer server(shown);
    const std::string authorities = scratch_ / "authorities.pem";
    std::ofstream(authorities) << pem_of(shown.trusted.value_or(root_.certificate));
    const sdk::MemoryTokenStores stores;
    EXPECT_TRUE(stores.open()->put(ada("old"), true));
    Device device(server.base_url(), stores.open(), std::chrono::seconds(10), {},
                  {.no_proxy = true, .ca_file = authorities, .pinned_keys = shown.pin});
    const auto user = device.manager->current();
    const auto done = device.manager->refresh(user).result();
    EXPECT_GE(server.connections, 1) << "nobody came";
    EXPECT_EQ(user->state, UserState::logged_in);
    EXPECT_FALSE((*stores.open()->load_user("ada"))->refresh_token.empty());
    EXPECT_EQ(server.bytes > 0, done.has_value()) << server.bytes;
    return done ? std::nullopt : std::optional(done.error());
  }
  void expect_accepted(const char* what, const Shown& shown) {
    SCOPED_TRACE(what);
    const auto refused = refresh_against(shown);
    EXPECT_FALSE(refused) << refused->message;
    ++accepted_;
  }
  void expect_refused(const char* what, const Shown& shown) {
    SCOPED_TRACE(what);
    const auto refused = refresh_against(shown);
    EXPECT_TRUE(refused) << "was accepted";
    EXPECT_TRUE(!refused || refused->remedy == Remedy::retry_later);
    EXPECT_TRUE(!refused || refused->code == ErrorCode::NetworkError) << refused->message;
    ++refused_;
  }
  /// A leaf of the usual authority with one thing changed.
  template <class Change>
  Shown leaf(Change change, const char* host = kName) const {
    Wanted wanted;
    change(wanted);
    return {.leaf = make(wanted, &root_), .host = host};
  }
  Shown named(const std::string& names, const char* host = kName) const {
    return leaf([&](Wanted& wanted) { wanted.names = names; }, host);
  }
  /// A good leaf of an authority below the usual one, which has one thing changed.
  template <class Change>
  Shown below(Change change) const {
    Wanted wanted = authority("Between");
    change(wanted);
    const Identity between = make(wanted, &root_);
    return {.leaf = make({}, &between), .between = {between}};
  }

  const Scratch scratch_;
  const Identity root_ = make(authority("Root"));
  int accepted_ = 0;
  int refused_ = 0;
};

TEST_F(NetworkTls, GoodCertificatesAreAccepted) {
  expect_accepted("the plain one", leaf([](Wanted&) {}));
  expect_accepted("by an authority between", below([](Wanted&) {}));
  expect_accepted("a wildcard", named("DNS:*.keyturn.localhost"));
  expect_accepted("several names", named("DNS:other.localhost,DNS:api.keyturn.localhost,IP:127.0.0.1"));
  expect_accepted("another case", named("DNS:API.Keyturn.LOCALHOST"));
  expect_accepted("an address", named("IP:127.0.0.1", kAddress));
  expect_accepted("RSA of 2048", leaf([](Wanted& w) { w.key = rsa_key(2048); }));
  expect_accepted("SHA-384", leaf([](Wanted& w) { w.digest = "SHA384"; }));
  expect_accepted("any purpose", leaf([](Wanted& w) { w.purposes.clear(); }));
  expect_accepted("both purposes", leaf([](Wanted& w) { w.purposes = "clientAuth,serverAuth"; }));
  expect_accepted("a path of the allowed length", below([](Wanted& w) { w.constraints += ",pathlen:0"; }));
  expect_accepted("within its constraints", below([](Wanted& w) {
                    w.more = {{"nameConstraints", "critical,permitted;DNS:keyturn.localhost"}};
                  }));
  expect_accepted("TLS 1.2", [&] {
    Shown shown = leaf([](Wanted&) {});
    shown.newest = TLS1_2_VERSION;
    return shown;
  }());
  Shown pinned = leaf([](Wanted&) {});
  pinned.pin = pin_of(curve_key()) + ";" + pin_of(pinned.leaf.key);
  expect_accepted("the spare of two pins", pinned);
}

TEST_F(NetworkTls, TimesThatAreNotNow) {
  expect_refused("expired yesterday", leaf([](Wanted& w) { w.from = -172'800, w.to = -86'400; }));
  expect_refused("expired a moment ago", leaf([](Wanted& w) { w.to = -2; }));
  expect_refused("valid from tomorrow", leaf([](Wanted& w) { w.from = 86'400, w.to = 172'800; }));
  expect_refused("valid in a minute", leaf([](Wanted& w) { w.from = 60; }));
  expect_refused("over before it began", leaf([](Wanted& w) { w.from = 3'600, w.to = -3'600; }));
  expect_refused("an expired authority between", below([](Wanted& w) { w.from = -172'800, w.to = -86'400; }));
  expect_refused("an authority of the future", below([](Wanted& w) { w.from = 86'400, w.to = 172'800; }));
  Wanted old = authority("Old");
  old.from = -172'800, old.to = -86'400;
  const Identity old_root = make(old);
  expect_refused("an expired root", {.leaf = make({}, &old_root), .trusted = old_root.certificate});
}

TEST_F(NetworkTls, OtherNames) {
  expect_refused("another name", named("DNS:www.example.com"));
  expect_refused("the right subject and another name", named("DNS:other.keyturn.localhost"));
  expect_refused("the name in the subject alone", named(""));
  expect_refused("a domain above", named("DNS:keyturn.localhost"));
  expect_refused("one label more", named("DNS:a.api.keyturn.localhost"));
  expect_refused("the same end", named("DNS:xapi.keyturn.localhost"));
  expect_refused("the same beginning", named("DNS:api.keyturn.localhost.example.com"));
  expect_refused("a wildcard two levels up", named("DNS:*.localhost"));
  expect_refused("a wildcard below", named("DNS:*.api.keyturn.localhost"));
  expect_refused("a wildcard alone", named("DNS:*"));
  expect_refused("a wildcard of a part", named("DNS:a*.keyturn.localhost"));
  expect_refused("a wildcard at the end of a label", named("DNS:*i.keyturn.localhost"));
  expect_refused("two wildcards", named("DNS:*.*.localhost"));
  expect_refused("a wildcard in the middle", named("DNS:api.*.localhost"));
  expect_refused("a leading dot", named("DNS:.keyturn.localhost"));
  expect_refused("a trailing dot", named("DNS:api.keyturn.localhost."));
  expect_refused("a NUL and more",
                 named(dns_name_of_bytes(std::string("api.keyturn.localhost\0.example.com", 34))));
  expect_refused("a NUL at the end", named(dns_name_of_bytes(std::string("api.keyturn.localhost\0", 22))));
  expect_refused("an empty name", named(dns_name_of_bytes("")));
  expect_refused("a space before", named(dns_name_of_bytes(" api.keyturn.localhost")));
  expect_refused("a mail address", named("email:ada@api.keyturn.localhost"));
  expect_refused("an address of the web", named("URI:https://api.keyturn.localhost/"));
  expect_refused("an address for a name", named("IP:127.0.0.1"));
  expect_refused("another address", named("IP:127.0.0.2", kAddress));
  expect_refused("an address of the next version", named("IP:::1", kAddress));
  expect_refused("an address as a name", named("DNS:127.0.0.1", kAddress));
  expect_refused("a wildcard for an address", named("DNS:*.0.0.1", kAddress));
  expect_refused("an address in the subject alone", leaf(
                                                        [](Wanted& w) {
                                                          w.subject = kAddress;
                                                          w.names.clear();
                                                        },
                                                        kAddress));
  expect_refused("names that the authority may not give", below([](Wanted& w) {
                   w.more = {{"nameConstraints", "critical,permitted;DNS:example.com"}};
                 }));
  expect_refused("names that the authority must not give", below([](Wanted& w) {
                   w.more = {{"nameConstraints", "critical,excluded;DNS:keyturn.localhost"}};
                 }));
}

TEST_F(NetworkTls, OtherAuthorities) {
  const Identity stranger = make(authority("Stranger"));
  const Identity namesake = make(authority("Root"));
  expect_refused("a stranger's", {.leaf = make({}, &stranger)});
  expect_refused("a stranger's, which is sent along", {.leaf = make({}, &stranger), .between = {stranger}});
  expect_refused("of an authority of the same name", {.leaf = make({}, &namesake), .between = {namesake}});
  expect_refused("self-signed", {.leaf = make({})});
  Shown missing = below([](Wanted&) {});
  missing.between.clear();
  expect_refused("the authority between is missing", missing);
  const Identity leaf_of_root = make({}, &root_);
  expect_refused("a leaf that signs", {.leaf = make({}, &leaf_of_root), .between = {leaf_of_root}});
  expect_refused("an authority that is none", below([](Wanted& w) { w.constraints = "critical,CA:FALSE"; }));
  expect_refused("an authority that does not say so",
                 below([](Wanted& w) { w.constraints.clear(), w.usage.clear(); }));
  expect_refused("an authority that may not sign",
                 below([](Wanted& w) { w.usage = "critical,digitalSignature"; }));
  expect_refused("an authority of version 1", below([](Wanted& w) { w.version = 0; }));
  expect_refused("an authority for clients", below([](Wanted& w) { w.purposes = "clientAuth"; }));
  Wanted last = authority("Last");
  last.constraints += ",pathlen:0";
  const Identity first = make(last, &root_);
  const Identity second = make(authority("One too many"), &first);
  expect_refused("too long a path", {.leaf = make({}, &second), .between = {second, first}});
  Shown changed = leaf([](Wanted&) {});
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, changed.leaf.certificate.get());
  signature->data[signature->length - 1] ^= 1U;
  expect_refused("a changed signature", changed);
}

TEST_F(NetworkTls, OtherPurposesAndKeys) {
  expect_refused("for clients", leaf([](Wanted& w) { w.purposes = "clientAuth"; }));
  expect_refused("for code", leaf([](Wanted& w) { w.purposes = "codeSigning,emailProtection"; }));
  expect_refused("a critical extension that nobody knows", leaf([](Wanted& w) {
                   w.more = {{"1.2.3.4.5", "critical,DER:05:00"}};
                 }));
  expect_refused("RSA of 512", leaf([](Wanted& w) { w.key = rsa_key(512); }));
  expect_refused("RSA of 1024", leaf([](Wanted& w) { w.key = rsa_key(1024); }));
  expect_refused("an authority with RSA of 1024", below([](Wanted& w) { w.key = rsa_key(1024); }));
  Wanted with_rsa = authority("RSA");
  with_rsa.key = rsa_key(2048);
  const Identity rsa = make(with_rsa);
  Wanted with_md5;
  with_md5.digest = "MD5";
  expect_refused("MD5", {.leaf = make(with_md5, &rsa), .trusted = rsa.certificate});
  expect_refused("SHA-1", leaf([](Wanted& w) { w.digest = "SHA1"; }));
  expect_refused("an authority by SHA-1", below([](Wanted& w) { w.digest = "SHA1"; }));
  expect_refused("version 1", leaf([](Wanted& w) { w.version = 0; }));
  Shown borrowed = leaf([](Wanted&) {});
  borrowed.leaf.key = mismatched_key(borrowed.leaf.key, curve_key());
  expect_refused("a certificate without its key", borrowed);
  Shown pinned = leaf([](Wanted&) {});
  pinned.pin = pin_of(curve_key());
  expect_refused("another key than the pinned", pinned);
  pinned.pin = pin_of(root_.key);
  expect_refused("the key of its authority is pinned", pinned);
}

TEST_F(NetworkTls, OldProtocols) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    Shown shown = leaf([](Wanted& w) { w.key = rsa_key(2048); });
    shown.oldest = shown.newest = version;
    expect_refused(version == TLS1_VERSION ? "TLS 1.0" : "TLS 1.1", shown);
  }
  Shown nobody = leaf([](Wanted&) {});
  nobody.newest = TLS1_2_VERSION;
  nobody.ciphers = "aNULL";
  expect_refused("no certificate at all", nobody);
}

TEST_F(NetworkTls, PinsThatAreNoneAreRefusedAtOnce) {
  const std::string good = pin_of(curve_key());
  const std::string base64 = good.substr(8);
  for (const std::string& pin : {base64, "sha1//" + base64, "sha256/" + base64,
                                 "sha256//" + std::string(64, 'a'), "sha256//" + base64.substr(1), good + "=",
                                 good.substr(0, good.size() - 1), good + ";" + good, std::string("sha256//")})
    EXPECT_FALSE(sdk::transport_options({.pinned_keys = {pin}})) << pin;
  EXPECT_TRUE(sdk::transport_options({.pinned_keys = {good}}));
}

}  // namespace
}  // namespace keyturn::faults
