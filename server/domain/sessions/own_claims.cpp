// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/own_claims.hpp"

#include <charconv>

namespace keyturn::server {
namespace {

constexpr std::int64_t kLatestTime = std::int64_t{1} << 40;

/// Takes pieces from the front of a text. Once one is missing, all that follow are.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Reader& expect(std::string_view wanted) {
    ok_ = ok_ && rest_.starts_with(wanted);
    if (ok_) rest_.remove_prefix(wanted.size());
    return *this;
  }
  /// The rest of a JSON string without escapes, and its closing quote.
  Reader& text(std::string_view& out) {
    const std::size_t end = rest_.find_first_of("\"\\");
    ok_ = ok_ && end != std::string_view::npos && rest_[end] == '"';
    if (!ok_) return *this;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return *this;
  }
  Reader& seconds(WallTime& out) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    ok_ = ok_ && error == std::errc() && value >= 0 && value <= kLatestTime;
    if (!ok_) return *this;
    out = WallTime(std::chrono::seconds(value));
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return *this;
  }
  /// All before `mark`, and the mark.
  Reader& until(std::string_view mark, std::string_view& out) {
    const std::size_t at = rest_.find(mark);
    ok_ = ok_ && at != std::string_view::npos;
    if (!ok_) return *this;
    out = rest_.substr(0, at);
    rest_.remove_prefix(at + mark.size());
    return *this;
  }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<TokenClaims> read_own_claims(std::string_view payload, TokenType type) {
  TokenClaims claims;
  claims.type = type;
  std::string_view device;
  std::string_view domain;
  std::string_view session;
  std::string_view user;
  Reader in(payload);
  if (type == TokenType::access) {
    in.expect(R"({"baas_device_id":")").text(device).expect(R"(,"baas_domain_id":")").text(domain);
    in.expect(R"(,"exp":)").seconds(claims.expires_at).expect(R"(,"iat":)").seconds(claims.issued_at);
    in.expect(R"(,"iss":")").text(session).expect(R"(,"stitch_devId":")").expect(device);
    in.expect(R"(","stitch_domainId":")").expect(domain).expect(R"(","sub":")").text(user);
    in.expect(R"(,"typ":"access"})");
  } else {
    std::string_view identity;
    in.expect(R"({"baas_data":null,"baas_device_id":")")
        .text(device)
        .expect(R"(,"baas_domain_id":")")
        .text(domain);
    in.expect(R"(,"baas_id":")").text(session);
    // Within a string each quote has a backslash before it, so this mark is the real end of the object.
    in.expect(R"(,"baas_identity":{"id":")").until(R"("},"exp":)", identity);
    in.seconds(claims.expires_at).expect(R"(,"iat":)").seconds(claims.issued_at);
    in.expect(R"(,"stitch_data":null,"stitch_devId":")")
        .expect(device)
        .expect(R"(","stitch_domainId":")")
        .expect(domain);
    in.expect(R"(","stitch_id":")").expect(session).expect(R"(","stitch_ident":{"id":")").expect(identity);
    in.expect(R"("},"sub":")").text(user).expect(R"(,"typ":"refresh"})");
  }
  if (!in.at_end() || claims.expires_at < claims.issued_at) return std::nullopt;
  claims.device_id = device;
  claims.domain_id = domain;
  claims.session_id = session;
  claims.user_id = user;
  return claims;
}

}  // namespace keyturn::server
