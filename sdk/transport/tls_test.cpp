// SPDX-License-Identifier: Apache-2.0
// Row B-27 in small: a server whose certificate nobody vouches for gets no request.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <string>

#include "sdk/transport/curl_loop.hpp"
#include "sdk/transport/testing/tls_server.hpp"

namespace keyturn::sdk {
namespace {

TEST(Tls, CertificateOfNoAuthorityIsRefusedBeforeAnythingIsSent) {
  std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-tls-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const std::string key = folder / "key.pem";
  const std::string certificate = folder / "certificate.pem";
  Program made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1"});
  ASSERT_TRUE(made.started()) << "no openssl program; script/bootstrap installs it";
  ASSERT_EQ(made.end(), 0);
  Program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate});
  server.read_until("ACCEPT 127.0.0.1:");
  const std::string port = server.read_until("\n");
  ASSERT_GT(port.size(), 1U);

  CurlLoop loop(system_clock());
  CurlTransport transport(loop);
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    std::promise<Result<HttpResponse>> answer;
    transport.send({.method = "GET",
                    .url = "https://" + host + ":" + port.substr(0, port.size() - 1) + "/x",
                    .headers = {{"Authorization", "Bearer canary"}},
                    .timeout = std::chrono::seconds{10}},
                   [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
    const auto result = answer.get_future().get();
    ASSERT_FALSE(result.has_value()) << host;
    EXPECT_EQ(result.error().code, ErrorCode::NetworkError);
    EXPECT_NE(result.error().message.find("certificate"), std::string::npos) << result.error().message;
  }
  loop.stop();
  server.stop();
  EXPECT_EQ(server.read_until("canary").find("canary"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace keyturn::sdk
