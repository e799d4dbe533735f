// SPDX-License-Identifier: Apache-2.0
// The golden exchanges from the other side: for each request that the SDK can be made to send it must send
// exactly that one, and must understand the golden answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/base/clock.hpp>
#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "tests/contract/exchange_pattern.hpp"

namespace keyturn::contract {
namespace {

using Outcome = Result<void>;
/// Makes the SDK send what the body says; nothing when no call of the SDK can.
using Operation =
    std::function<std::optional<Outcome>(App& app, const std::optional<User>& user, const json::Value& body)>;

struct Call {
  std::string method;
  std::string
      path;  ///< After `${client}`, query included; '*' stands for one segment, which the call gets too.
  std::string bearer;  ///< "access", "refresh", or none.
  Operation send;
};

const std::string kId = "65f0c0ffee0000000000abcd";

std::optional<std::string> text_of(const json::Value& body, std::string_view name) {
  const auto found = body.string_at(name);
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

template <class T>
std::optional<Outcome> outcome(Pending<T> pending) {
  const auto result = pending.result();
  return result ? Outcome() : Outcome(result.error());
}

std::optional<Credentials> credentials_of(const std::string& provider, const json::Value& body) {
  if (provider == "anon-user") return Credentials::anonymous(false);
  const auto one = [&](const char* name) { return text_of(body, name); };
  if (provider == "local-userpass" && one("username") && one("password"))
    return Credentials::username_password(*one("username"), *one("password"));
  if (provider == "custom-token" && one("token")) return Credentials::custom(*one("token"));
  if (provider == "api-key" && one("key")) return Credentials::api_key(*one("key"));
  return std::nullopt;
}

/// A call with the text members of its names, all of which the body must have.
template <class Send>
Operation with_texts(std::vector<std::string> names, Send send) {
  return
      [names, send](App& app, const std::optional<User>&, const json::Value& body) -> std::optional<Outcome> {
        std::vector<std::string> texts;
        for (const std::string& name : names) {
          const auto text = text_of(body, name);
          if (!text) return std::nullopt;
          texts.push_back(*text);
        }
        return outcome(send(app, texts));
      };
}

template <class Send>
Operation of_user(Send send) {
  return [send](App&, const std::optional<User>& user, const json::Value&) { return outcome(send(*user)); };
}

std::vector<Call> calls() {
  using Texts = std::vector<std::string>;
  std::vector<Call> out;
  for (const std::string provider : {"anon-user", "local-userpass", "custom-token", "api-key"}) {
    const std::string path = "/app/${app}/auth/providers/" + provider + "/login";
    out.push_back(
        {"POST", path, "", [provider](App& app, const std::optional<User>&, const json::Value& body) {
           auto proof = credentials_of(provider, body);
           return proof ? outcome(app.login(std::move(*proof))) : std::nullopt;
         }});
    if (provider == "anon-user") continue;  // the SDK refuses that link before it asks
    out.push_back({"POST", path + "?link=true", "access",
                   [provider](App&, const std::optional<User>& user, const json::Value& body) {
                     auto proof = credentials_of(provider, body);
                     return proof ? outcome(user->link(std::move(*proof))) : std::nullopt;
                   }});
  }
  const std::string accounts = "/app/${app}/auth/providers/local-userpass/";
  out.push_back({"POST", accounts + "register", "",
                 with_texts({"email", "password"},
                            [](App& app, const Texts& t) { return app.register_user(t[0], t[1]); })});
  out.push_back({"POST", accounts + "confirm", "",
                 with_texts({"token", "tokenId"},
                            [](App& app, const Texts& t) { return app.confirm_user(t[0], t[1]); })});
  out.push_back({"POST", accounts + "confirm/send", "", with_texts({"email"}, [](App& app, const Texts& t) {
                   return app.resend_confirmation_email(t[0]);
                 })});
  out.push_back({"POST", accounts + "confirm/call", "", with_texts({"email"}, [](App& app, const Texts& t) {
                   return app.retry_custom_confirmation(t[0]);
                 })});
  out.push_back({"POST", accounts + "reset/send", "", with_texts({"email"}, [](App& app, const Texts& t) {
                   return app.send_reset_password_email(t[0]);
                 })});
  out.push_back({"POST", accounts + "reset", "",
                 with_texts({"password", "token", "tokenId"},
                            [](App& app, const Texts& t) { return app.reset_password(t[0], t[1], t[2]); })});
  out.push_back({"POST", accounts + "reset/call", "",
                 [](App& app, const std::optional<User>&, const json::Value& body) -> std::optional<Outcome> {
                   const auto email = text_of(body, "email");
                   const auto password = text_of(body, "password");
                   const json::Value* const arguments = body.find("arguments");
                   if (!email || !password || arguments == nullptr || arguments->as_array() == nullptr)
                     return std::nullopt;
                   return outcome(
                       app.call_reset_password_function(*email, *password, json::write(*arguments)));
                 }});
  out.push_back(
      {"POST", "/auth/session", "refresh", of_user([](const User& u) { return u.refresh_access_token(); })});
  out.push_back(
      {"GET", "/auth/profile", "access", of_user([](const User& u) { return u.refresh_profile(); })});
  out.push_back({"GET", "/auth/sessions", "access", of_user([](const User& u) { return u.sessions(); })});
  out.push_back({"DELETE", "/auth/sessions?others=true", "access",
                 of_user([](const User& u) { return u.revoke_other_sessions(); })});
  out.push_back(
      {"DELETE", "/auth/sessions/*", "access", of_user([](const User& u) { return u.revoke_session(kId); })});
  out.push_back(
      {"DELETE", "/auth/delete", "access", [](App& app, const std::optional<User>& user, const json::Value&) {
         return outcome(app.delete_user(*user));
       }});
  out.push_back(
      {"GET", "/auth/api_keys", "refresh", of_user([](const User& u) { return u.api_keys().list(); })});
  out.push_back(
      {"POST", "/auth/api_keys", "refresh",
       [](App&, const std::optional<User>& user, const json::Value& body) -> std::optional<Outcome> {
         const auto name = text_of(body, "name");
         return name ? outcome(user->api_keys().create(*name)) : std::nullopt;
       }});
  out.push_back(
      {"GET", "/auth/api_keys/*", "refresh", of_user([](const User& u) { return u.api_keys().get(kId); })});
  out.push_back({"DELETE", "/auth/api_keys/*", "refresh",
                 of_user([](const User& u) { return u.api_keys().remove(kId); })});
  out.push_back({"PUT", "/auth/api_keys/*/enable", "refresh",
                 of_user([](const User& u) { return u.api_keys().enable(kId); })});
  out.push_back({"PUT", "/auth/api_keys/*/disable", "refresh",
                 of_user([](const User& u) { return u.api_keys().disable(kId); })});
  out.push_back(
      {"POST", "/app/${app}/functions/call", "access",
       [](App&, const std::optional<User>& user, const json::Value& body) -> std::optional<Outcome> {
         const auto name = text_of(body, "name");
         const json::Value* const arguments = body.find("arguments");
         if (!name || arguments == nullptr || arguments->as_array() == nullptr ||
             body.find("service") != nullptr)
           return std::nullopt;
         return outcome(user->call_function(*name, json::write(*arguments)));
       }});
  return out;
}

bool path_fits(std::string_view pattern, std::string_view path) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  if (path.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = path.substr(star);
  const auto end = std::min(rest.find('/'), rest.size());
  return end > 0 && rest.substr(end) == pattern.substr(star + 1) && rest.find('?') == std::string_view::npos;
}

std::string token(std::string_view type) {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(system_clock().wall_now().time_since_epoch()).count();
  const json::Object claims{{"exp", now + 1800}, {"iat", now}, {"iss", kId}, {"sub", kId}, {"typ", type}};
  return crypto::base64url_encode(R"({"alg":"none","typ":"JWT"})") + "." +
         crypto::base64url_encode(json::write(json::Value(claims))) + ".golden";
}

/// A value that the pattern allows.
json::Value example(const json::Value& pattern, const std::string& name = {}) {
  if (const auto* const list = pattern.as_array()) {
    json::Array out;
    for (const json::Value& each : *list) out.push_back(example(each));
    return out;
  }
  if (const auto* const object = pattern.as_object()) {
    json::Object out;
    for (const auto& [key, value] : *object) {
      if (key != "...") out.set(key, example(value, key));
    }
    return out;
  }
  if (pattern.as_string() == nullptr) return pattern;
  const std::string& text = *pattern.as_string();
  if (text == "<jwt>") return token(name == "refresh_token" ? "refresh" : "access");
  if (text == "<id>") return kId;
  if (text == "<link>") return "http://127.0.0.1/logs?co_id=" + kId;
  if (text == "<int>") return std::int64_t{1'700'000'000};
  if (text == "<bool>") return true;
  if (text == "<object>") return json::Object{};
  if (text == "<array>") return json::Array{};
  if (text == "<key>") return std::string(64, 'k');
  if (text.starts_with("<contains:")) return text.substr(10, text.size() - 11);
  if (text.starts_with("<")) return "text";
  return text;
}

/// The body without what each client says of itself, and the provider that the path names already.
json::Value bare(const json::Value& body) {
  if (body.as_object() == nullptr) return body;
  json::Object out;
  for (const auto& [name, value] : *body.as_object()) {
    if (name != "options" && name != "provider") out.set(name, value);
  }
  return out;
}

class SdkReplay : public ::testing::Test {
 protected:
  /// False when the step is none that the SDK can do.
  bool replay(const json::Value& step, std::set<std::string>& done) {
    const json::Value* const request = step.find("request");
    if (request == nullptr || request->find("body_text") != nullptr || request->find("headers") != nullptr)
      return false;
    const std::string full(request->string_at("path").value_or(""));
    constexpr std::string_view kClient = "${client}";
    if (!full.starts_with(kClient)) return false;
    const std::string method(request->string_at("method").value_or("GET"));
    const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& each) {
      return each.method == method && path_fits(each.path, full.substr(kClient.size()));
    });
    if (call == calls_.end() || request->string_at("bearer").has_value() == call->bearer.empty())
      return false;

    const json::Value& wanted = *step.find("response");
    if (const json::Value* const answer = wanted.find("body");
        answer != nullptr && answer->find("...") != nullptr)
      return false;  // told in part only
    Names names{{"client", "/api/client/v2.0"}, {"app", "app"}};
    const std::string path =
        substitute(std::string_view(call->path.find('*') == std::string::npos
                                        ? full
                                        : std::string(kClient) +
                                              std::string(call->path).replace(call->path.find('*'), 1, kId)),
                   names);
    const json::Value* const said = request->find("body");
    const json::Value body = said == nullptr ? json::Value(json::Object{}) : fill(*said);

    testing::ScriptedServer server;
    App app({.app_id = "app", .base_url = server.base_url(), .store = TokenStoreConfiguration::in_memory()});
    set_up(server);
    std::optional<User> user;
    if (!call->bearer.empty()) user = app.login(Credentials::anonymous(false)).get();
    const std::string access = user ? user->access_token() : "";
    const std::string refresh = user ? user->refresh_token() : "";
    auto before = server.requests().size();
    script(server, method, path, wanted);
    const auto told = call->send(app, user, body);
    if (!told) return false;

    SCOPED_TRACE(json::write(step));
    for (const auto& sent : server.requests()) {
      if (before > 0) {
        --before;  // of the log-in that made the user
        continue;
      }
      if (sent.method != method || sent.path != path) continue;
      check_request(sent, *call, access, refresh, body);
      done.insert(call->method + " " + call->path);
      check_outcome(*told, wanted);
      return true;
    }
    ADD_FAILURE() << "the SDK sent nothing to " << method << " " << path;
    return true;
  }

 private:
  static json::Value fill(const json::Value& body) {
    std::string text = json::write(body);
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${"))
      text.replace(at, text.find('}', at) - at + 1, kId);
    return *json::parse(text);
  }
  /// What surrounds the exchange under test: a log-in, its profile, refreshes.
  static std::optional<testing::ScriptedResponse> around(const testing::RecordedRequest& request) {
    if (request.path.ends_with("/login"))
      return testing::ScriptedResponse{.body = R"({"access_token":")" + token("access") +
                                               R"(","refresh_token":")" + token("refresh") +
                                               R"(","user_id":")" + kId + R"(","device_id":"d"})"};
    if (request.path.ends_with("/auth/profile"))
      return testing::ScriptedResponse{.body =
                                           R"({"user_id":")" + kId +
                                           R"(","domain_id":"d","identities":[],"data":{},"type":"normal"})"};
    if (request.path.ends_with("/auth/session") && request.method == "POST")
      return testing::ScriptedResponse{.status = 201,
                                       .body = R"({"access_token":")" + token("access") + R"("})"};
    return std::nullopt;
  }
  static void set_up(testing::ScriptedServer& server) { server.set_handler(&SdkReplay::around); }
  static void script(testing::ScriptedServer& server, const std::string& method, const std::string& path,
                     const json::Value& wanted) {
    testing::ScriptedResponse answer;
    answer.status = static_cast<int>(wanted.int_at("status").value_or(0));
    if (const json::Value* const body = wanted.find("body")) answer.body = json::write(example(fill(*body)));
    const bool over = wanted.find("body") != nullptr && wanted.find("body")->string_at("reason").has_value();
    server.set_handler(
        [=](const testing::RecordedRequest& request) -> std::optional<testing::ScriptedResponse> {
          if (request.method == method && request.path == path) return answer;
          // A session that is over is over for its refresh as well.
          if (over && request.path.ends_with("/auth/session")) return answer;
          return around(request);
        });
  }
  static void check_request(const testing::RecordedRequest& sent, const Call& call, const std::string& access,
                            const std::string& refresh, const json::Value& body) {
    const auto bearer = find_header(sent.headers, "Authorization");
    if (call.bearer.empty()) {
      EXPECT_FALSE(bearer);
    } else {
      EXPECT_EQ(bearer, "Bearer " + (call.bearer == "access" ? access : refresh));
    }
    EXPECT_EQ(sent.path.find("eyJ"), std::string::npos) << "a token in an address";
    if (body.as_object() != nullptr && body.as_object()->empty()) return;
    EXPECT_EQ(find_header(sent.headers, "Content-Type"), "application/json");
    const auto actual = json::parse(sent.body);
    ASSERT_TRUE(actual) << sent.body;
    EXPECT_EQ(difference(bare(body), bare(*actual), ""), "");
  }
  static void check_outcome(const Outcome& told, const json::Value& wanted) {
    const auto status = wanted.int_at("status").value_or(0);
    if (status >= 200 && status < 300) {
      EXPECT_TRUE(told) << told.error().message;
      return;
    }
    ASSERT_FALSE(told);
    const json::Value& body = *wanted.find("body");
    const auto reason = body.string_at("reason");
    EXPECT_EQ(to_string(told.error().reason), reason.value_or(to_string(told.error().reason)));
    if (told.error().code == ErrorCode::ClientUserNotLoggedIn)
      return;  // it took the answer for a log-out of its own
    const auto code = body.string_at("error_code");
    EXPECT_EQ(to_string(told.error().code), code && *code != "<any>" ? *code : to_string(told.error().code));
    const std::string text(body.string_at("error").value_or(""));
    EXPECT_EQ(text_is(text, told.error()), true) << text << " / " << told.error().message;
  }
  static bool text_is(const std::string& pattern, const Error& error) {
    return difference(pattern, json::Value(error.message), "").empty() ||
           error.code == ErrorCode::InvalidSession;
  }

  const std::vector<Call> calls_ = calls();
};

TEST_F(SdkReplay, SendsTheGoldenRequestsAndUnderstandsTheGoldenAnswers) {
  std::set<std::string> done;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(KEYTURN_EXCHANGES)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  int replayed = 0;
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    const auto scenario =
        json::parse(text.str(), {std::size_t{4} * 1024 * 1024, 64, json::DuplicateNames::refuse});
    ASSERT_TRUE(scenario);
    for (const json::Value& step : *scenario->find("steps")->as_array())
      replayed += replay(step, done) ? 1 : 0;
  }
  RecordProperty("replayed", replayed);
  EXPECT_GE(replayed, 100);
  for (const Call& call : calls()) {
    const bool linked_otherwise =
        call.path.ends_with("?link=true") && call.path.find("local-userpass") == std::string::npos;
    EXPECT_TRUE(linked_otherwise || done.contains(call.method + " " + call.path))
        << call.method << " " << call.path;
  }
}

}  // namespace
}  // namespace keyturn::contract
