// SPDX-License-Identifier: Apache-2.0
// Row B-38: nothing that an app is told in words, by the log or by an error, holds a part of a secret.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <mutex>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "tests/faults/canaries.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using testing::RecordedRequest;
using testing::ScriptedResponse;

constexpr const char* kProfile = "/api/client/v2.0/auth/profile";
constexpr const char* kSession = "/api/client/v2.0/auth/session";

class LogRedaction : public ::testing::Test {
 protected:
  LogRedaction() {
    server_.add_user("ada@example.com", password_);
    for (const std::string& secret : {password_, key_, api_key_, jwt_, argument_, reset_token_})
      canaries_.add(secret);
  }

  App::configuration settings(const std::string& key) {
    App::configuration out;
    out.app_id = "app";
    out.base_url = server_.base_url();
    out.store = TokenStoreConfiguration::in_directory(store(), TokenStoreKey::supplied(Secret(key)));
    out.log = [this](std::string_view line) { hear("log", line); };
    return out;
  }
  Result<App> open() { return open(key_); }
  Result<App> open(const std::string& key) {
    auto app = App::open(settings(key));
    if (!app) hear("error", app.error().message);
    return app;
  }

  /// Listens to what comes of a call, and to what it throws.
  template <class T>
  bool hear(Pending<T> pending) {
    try {
      (void)pending.get();
      return true;
    } catch (const Error& error) {
      hear("error", error.message);
      hear("what", error.what());
      hear("request id", error.request_id);
      return false;
    }
  }
  void hear(const char* from, std::string_view text) {
    const std::scoped_lock lock(mutex_);
    told_.push_back(std::string(from) + ": " + std::string(text));
  }
  bool log_in(App& app, const std::string& password) {
    return hear(app.login(Credentials::username_password("ada@example.com", password)));
  }

  /// Answers with what it was asked, as a proxy's error page or a careless function does.
  static ScriptedResponse echo(int status, const char* type, const RecordedRequest& request) {
    std::string all = request.path + " " + request.body;
    for (const auto& [name, value] : request.headers) all += " " + name + " " + value;
    std::string body = all;
    if (std::string_view(type) == "application/json") {
      body = R"({"error":)";
      json::append_quoted(body, all);
      body += R"(,"error_code":"FunctionExecutionError"})";
    }
    return {status, {{"Content-Type", type}}, body};
  }

  /// All that happened so far, against all secrets that were on the wire.
  void expect_silence() {
    for (const RecordedRequest& request : server_.requests()) {
      for (const auto& [name, value] : request.headers) {
        if (value.starts_with("Bearer ")) canaries_.add(value.substr(7));
      }
    }
    const std::scoped_lock lock(mutex_);
    for (const std::string& text : told_) EXPECT_EQ(canaries_.found_in(text), "") << text;
  }
  [[nodiscard]] fs::path store() const { return scratch_ / "store"; }

  /// A user of `app`, logged in.
  User user_of(App& app) {
    EXPECT_TRUE(log_in(app, password_));
    return *app.get_current_user();
  }

  static std::string secret(const char* mark) {
    return std::string(mark) + crypto::hex_encode(crypto::random_bytes(16)) + "/\"+\\ \xC3\xA9" +
           crypto::hex_encode(crypto::random_bytes(8));
  }
  const std::string password_ = secret("Pw:");
  const std::string api_key_ = secret("Ak:");
  const std::string argument_ = secret("Fn:");
  const std::string reset_token_ = secret("Rt:");
  const std::string key_ = crypto::random_bytes(64);
  const std::string jwt_ = crypto::base64url_encode(R"({"alg":"HS256"})") + "." +
                           crypto::base64url_encode(crypto::random_bytes(60)) + ".c2lnbmF0dXJl";
  const Scratch scratch_;
  testing::ScriptedServer server_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  Canaries canaries_;
};

TEST(Canaries, AreFoundInEveryForm) {
  Canaries canaries;
  const std::string secret = "Zk\"81/hJq+Lw93\\mxV-27tyQ_p0";
  canaries.add(secret);
  std::string quoted;
  json::append_quoted(quoted, secret);
  for (const std::string& text :
       {secret.substr(4, 20), quoted, crypto::hex_encode(secret), "x" + crypto::base64_encode("ab" + secret),
        crypto::base64url_encode("a " + secret + "b"), std::string("%5A%6B%22%38%31%2F%68%4A%71%2B"),
        std::string("Zk%2281%2fhJq%2bLw93%5cmxV"), std::string("a eyJhbGciOi")})
    EXPECT_NE(canaries.found_in("user=7 " + text + " ms=1"), "") << text;
  for (const std::string& text : {std::string("refresh user=5f00 why=forced ms=12"), secret.substr(4, 19)})
    EXPECT_EQ(canaries.found_in(text), "") << text;
}

TEST_F(LogRedaction, NoLineAndNoErrorOfAnyFlowHoldsASecret) {
  auto app = open();
  ASSERT_TRUE(app);
  // Log-ins that are refused, and one that is not.
  EXPECT_FALSE(log_in(*app, argument_));
  EXPECT_FALSE(hear(app->login(Credentials::api_key(api_key_))));
  EXPECT_FALSE(hear(app->login(Credentials::custom(jwt_))));
  EXPECT_FALSE(hear(app->login(Credentials::function("{\"secret\":" + argument_))));
  EXPECT_FALSE(hear(app->login(Credentials::function("{\"secret\":\"" + jwt_ + "\"}"))));
  EXPECT_FALSE(hear(app->register_user("ada@example.com", password_)));
  EXPECT_FALSE(hear(app->reset_password(password_, reset_token_, jwt_)));
  EXPECT_FALSE(hear(app->confirm_user(reset_token_, jwt_)));
  EXPECT_FALSE(hear(app->call_reset_password_function("ada@example.com", password_, argument_)));
  const User user = user_of(*app);
  canaries_.add(*user.valid_access_token().result());
  // What a session does.
  EXPECT_TRUE(hear(user.refresh_access_token()));
  canaries_.add(*user.valid_access_token().result());
  EXPECT_TRUE(hear(user.refresh_profile()));
  EXPECT_TRUE(hear(user.request({"GET", kProfile})));
  EXPECT_FALSE(hear(user.request({"GET", "https://elsewhere.test/?token=" + jwt_})));
  EXPECT_FALSE(hear(user.request({"GET", kProfile, {{"X-Bad", argument_ + "\r\n"}}})));
  EXPECT_FALSE(hear(user.call_function("unknown", "[\"" + jwt_ + "\"]")));
  EXPECT_FALSE(hear(user.call_function("unknown", "[\"" + jwt_)));
  EXPECT_FALSE(hear(user.api_keys().create("device")));
  EXPECT_FALSE(hear(user.link(Credentials::username_password("ada@example.com", argument_))));
  EXPECT_FALSE(hear(user.link(Credentials::custom(jwt_))));
  // Answers that are none.
  const std::string wrong = jwt_.substr(0, jwt_.size() / 2);
  server_.enqueue("POST", kSession, {201, {}, R"({"access_token":")" + wrong});
  EXPECT_FALSE(hear(user.refresh_access_token()));
  EXPECT_FALSE(hear(user.refresh_access_token()));
  expect_silence();
  EXPECT_GE(canaries_.size(), 9U);
  std::cout << canaries_.size() << " secrets, " << told_.size() << " lines and errors, no hit\n";
}

TEST_F(LogRedaction, NeitherDoesOneThatAServerRepeats) {
  auto app = open();
  ASSERT_TRUE(app);
  const User user = user_of(*app);
  for (const char* const type : {"text/html", "application/json"}) {
    for (const int status : {400, 401, 403, 407, 429, 500, 503}) {
      server_.set_handler([&](const RecordedRequest& request) { return echo(status, type, request); });
      EXPECT_FALSE(hear(user.call_function("f", "[\"" + jwt_ + "\"]")));
      EXPECT_FALSE(hear(user.link(Credentials::username_password("ada@example.com", password_))));
      (void)hear(user.refresh_access_token());
      EXPECT_FALSE(log_in(*app, password_));
    }
  }
  server_.set_handler({});
  EXPECT_TRUE(app->get_current_user()) << "none of that is a verdict";
  Canaries tokens;
  tokens.add(jwt_);
  for (const RecordedRequest& request : server_.requests()) {
    const auto line = find_header(request.headers, "Authorization");
    if (!line) continue;
    canaries_.add(std::string(line->substr(7)));
    tokens.add(std::string(line->substr(7)));
  }
  const std::scoped_lock lock(mutex_);
  int errors = 0;
  for (const std::string& text : told_) {
    // What a server says in an error of its own is for the app to show: no token in it, but it may say what a
    // form was filled in with. No such text goes into the log.
    const bool is_said = text.find("/api/client/") != std::string::npos;
    EXPECT_FALSE(is_said && text.starts_with("log")) << text;
    EXPECT_EQ((is_said ? tokens : canaries_).found_in(text), "") << text;
    errors += text.starts_with("error") ? 1 : 0;
  }
  EXPECT_GT(errors, 40);
  std::cout << told_.size() << " lines and errors, no hit\n";
}

TEST_F(LogRedaction, NeitherDoTheEndsOfSessionsAndTheFaultsOfStores) {
  {
    auto app = open();
    ASSERT_TRUE(app);
    const User user = user_of(*app);
    server_.set_reachable(false);
    EXPECT_FALSE(hear(user.refresh_access_token()));
    EXPECT_TRUE(hear(user.log_out()));  // told to nobody yet
    server_.set_reachable(true);
    const User again = user_of(*app);
    const std::string id = again.identifier();
    server_.revoke(id);
    EXPECT_FALSE(hear(again.refresh_access_token()));
    (void)user_of(*app);
  }
  expect_silence();
  EXPECT_FALSE(open(crypto::random_bytes(64))) << "another key";
  // Damaged: recovered from the good copy, which is said in a line.
  for (const auto& file : fs::directory_iterator(store())) {
    if (file.path().extension() != ".db") continue;
    std::ofstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).write("garbage", 7);
  }
  {
    auto app = open();
    ASSERT_TRUE(app);
    ASSERT_TRUE(app->get_current_user());
    EXPECT_TRUE(hear(app->remove_user(*app->get_current_user())));
  }
  for (const auto& file : fs::directory_iterator(store())) {
    if (file.is_regular_file()) std::ofstream(file.path(), std::ios::trunc) << password_;
  }
  EXPECT_FALSE(open()) << "a store that is none";
  expect_silence();
  const auto said = [&](const char* words) {
    return std::any_of(told_.begin(), told_.end(),
                       [&](const std::string& text) { return text.find(words) != std::string::npos; });
  };
  EXPECT_TRUE(said("recovered from the copy"));
  EXPECT_TRUE(said("reason=revoked"));
  EXPECT_TRUE(said("log-out"));
  std::cout << canaries_.size() << " secrets, " << told_.size() << " lines and errors, no hit\n";
}

}  // namespace
}  // namespace keyturn::faults
