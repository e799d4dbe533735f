// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/possession_proof.hpp"
#include "core/testing/fake_clock.hpp"
#include "sdk/session/testing/manual_loop.hpp"

namespace keyturn::sdk::testing {

inline HttpResponse json_answer(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}
inline HttpResponse refusal(int status, const std::string& code, const std::string& text,
                            const std::string& reason = {}) {
  return json_answer(status, R"({"error":")" + text + R"(","error_code":")" + code + '"' +
                                 (reason.empty() ? "" : R"(,"reason":")" + reason + '"') + "}");
}

/// The sessions of a Keyturn server in memory. Its clock is true whatever the device's wall clock says.
class ModelServer {
 public:
  struct Session {
    std::string user_id;
    bool alive = true;
    std::string reason;
  };

  explicit ModelServer(keyturn::testing::FakeClock& clock) : clock_(clock) {}

  std::chrono::seconds lifetime{1800};
  std::map<std::string, Session> sessions;  ///< By id.
  int refreshes = 0;
  int log_outs = 0;
  std::string bound_to;  ///< Thumbprint of the key that new refresh tokens name, and that is to be proven.
  bool date_header = false;  ///< Each answer tells the server's time.
  /// Asked first.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> script{};

  [[nodiscard]] std::int64_t now() const {
    return 1'800'000'000 +
           std::chrono::duration_cast<std::chrono::seconds>(clock_.boot_now().time_since_epoch()).count();
  }
  std::string token(const std::string& type, const std::string& session, const std::string& user,
                    std::chrono::seconds life) {
    const std::string number = std::to_string(++issued_);
    const std::string claims = R"({"exp":)" + std::to_string(now() + life.count()) + R"(,"iat":)" +
                               std::to_string(now()) + R"(,"iss":")" + session + R"(","n":)" + number +
                               R"(,"sub":")" + user + R"(","typ":")" + type + '"' +
                               (bound_to.empty() ? "" : R"(,"cnf":{"jkt":")" + bound_to + R"("})") +
                               R"(,"user_data":{"n":)" + number + "}}";
    return crypto::base64url_encode(R"({"alg":"none"})") + "." + crypto::base64url_encode(claims) + ".c2ln";
  }
  /// The claims of a token of this server.
  static json::Value claims(std::string_view token) {
    const auto first = token.find('.');
    const auto second = token.find('.', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return {};
    const auto text = crypto::base64url_decode(token.substr(first + 1, second - first - 1));
    auto value = json::parse(text.value_or("{}"));
    return value ? std::move(*value) : json::Value();
  }
  static std::string claim(std::string_view token, std::string_view name) {
    return std::string(claims(token).string_at(name).value_or(""));
  }
  void end_sessions_of(const std::string& user, const std::string& reason) {
    for (auto& [id, session] : sessions) {
      if (session.user_id == user && session.alive) end(session, reason);
    }
  }
  [[nodiscard]] bool alive(std::string_view refresh_token) const {
    const auto found = sessions.find(claim(refresh_token, "iss"));
    return found != sessions.end() && found->second.alive;
  }

  HttpResponse answer(const HttpRequest& request) {
    HttpResponse response = judge(request);
    if (date_header) response.headers.emplace_back("Date", date());
    return response;
  }

  static std::string bearer_of(const HttpRequest& request) {
    const auto line = find_header(request.headers, "authorization");
    return line && line->substr(0, 7) == "Bearer " ? std::string(line->substr(7)) : std::string();
  }

 private:
  [[nodiscard]] std::string date() const {
    const std::chrono::sys_seconds moment{std::chrono::seconds(now())};
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(moment - day);
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[40];
    std::snprintf(text, sizeof text, "Mon, %02u %s %04d %02d:%02d:%02d GMT",
                  static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
    return text;
  }
  HttpResponse judge(const HttpRequest& request) {
    if (script) {
      if (auto told = script(request)) return std::move(*told);
    }
    const std::string path = request.url.substr(request.url.find('/', 8));
    if (path.find("/login") != std::string::npos) return log_in(request);
    const std::string bearer = bearer_of(request);
    const auto session = sessions.find(claim(bearer, "iss"));
    const std::string wanted = path == "/api/client/v2.0/auth/session" ? "refresh" : "access";
    const bool delivered = request.method == "DELETE" && wanted == "refresh";
    if (session == sessions.end() || claim(bearer, "typ") != wanted)
      return refusal(401, "InvalidSession", "invalid session");
    if (!session->second.alive)
      return refusal(401, "InvalidSession",
                     delivered ? "invalid session: failed to find refresh token" : "invalid session",
                     session->second.reason);
    if (delivered) {
      ++log_outs;
      end(session->second, "logged_out");
      return {204, {}, {}};
    }
    if (wanted == "refresh") {
      const json::Value whole = claims(bearer);
      const json::Value* bound = whole.find("cnf");
      const auto proof = jwt::check_proof(find_header(request.headers, "DPoP").value_or(""));
      if (bound != nullptr && (!proof || proof->thumbprint != bound->string_at("jkt")))
        return refusal(400, "InvalidDpopProof", "a proof of possession is missing");
      ++refreshes;
      return json_answer(201, R"({"access_token":")" +
                                  token("access", session->first, session->second.user_id, lifetime) +
                                  R"("})");
    }
    if (claims(bearer).int_at("exp").value_or(0) <= now())
      return refusal(401, "InvalidSession", "invalid session: access token expired");
    if (path == "/api/client/v2.0/auth/profile") return profile(session->second.user_id);
    return json_answer(200, R"({"user":")" + session->second.user_id + R"("})");
  }

  static void end(Session& session, const std::string& reason) {
    session.alive = false;
    session.reason = reason;
  }
  HttpResponse log_in(const HttpRequest& request) {
    const auto body = json::parse(request.body);
    const bool anonymous = request.url.find("anon-user") != std::string::npos;
    const bool link = request.url.find("link=true") != std::string::npos;
    std::string user = anonymous ? "anon-" + std::to_string(++issued_)
                                 : std::string(body->string_at("username").value_or("x"));
    if (link) user = claim(bearer_of(request), "sub");
    const std::string id = "session-" + std::to_string(sessions.size() + 1);
    sessions[id] = {user, true, {}};
    return json_answer(200, R"({"access_token":")" + token("access", id, user, lifetime) +
                                R"(","refresh_token":")" +
                                token("refresh", id, user, std::chrono::hours(24 * 60)) + R"(","user_id":")" +
                                user + R"(","device_id":"d"})");
  }
  static HttpResponse profile(const std::string& user) {
    const std::string type = user.rfind("anon-", 0) == 0 ? "anon-user" : "local-userpass";
    return json_answer(
        200, R"({"user_id":")" + user + R"(","domain_id":"x","identities":[{"id":"i","provider_type":")" +
                 type + R"(","provider_id":"p"}],"data":{"email":")" + user + R"("},"type":"normal"})");
  }

  keyturn::testing::FakeClock& clock_;
  int issued_ = 0;
};

/// Requests on their way. A test lets them arrive, answers them, or loses them.
class FakeTransport final : public HttpTransport {
 public:
  struct Exchange {
    HttpRequest request;
    Callback done;
    std::optional<HttpResponse> answer{};  ///< Set once the server has worked on it.
  };
  FakeTransport(ManualLoop& loop, ModelServer& server) : loop_(loop), server_(server) {}

  /// Held: nothing moves until the test says so. Else each request is answered in the next turn of the loop.
  bool held = false;
  std::deque<Exchange> exchanges;

  void send(HttpRequest request, Callback done) override {
    exchanges.push_back({std::move(request), std::move(done), {}});
    if (!held) {
      loop_.post([this] {
        if (!exchanges.empty()) finish(0);
      });
    }
  }
  void arrive(std::size_t index) {
    Exchange& exchange = exchanges[index];
    if (!exchange.answer) exchange.answer = server_.answer(exchange.request);
  }
  void finish(std::size_t index) {
    arrive(index);
    finish_with(index, std::move(*exchanges[index].answer));
  }
  void finish_with(std::size_t index, Result<HttpResponse> answer) {
    Exchange exchange = std::move(exchanges[index]);
    exchanges.erase(exchanges.begin() + static_cast<std::ptrdiff_t>(index));
    exchange.done(std::move(answer));
  }

 private:
  ManualLoop& loop_;
  ModelServer& server_;
};

}  // namespace keyturn::sdk::testing
