// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/exchange_runner.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"

namespace keyturn::contract {
namespace {

constexpr json::Limits kLimits{std::size_t{4} * 1024 * 1024, 64, json::DuplicateNames::refuse};

json::Value read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  auto value = json::parse(text.str(), kLimits);
  EXPECT_TRUE(value) << path << ": " << (value ? "" : value.error().message);
  return value ? *value : json::Value();
}

std::string parameter(const std::string& text, const std::string& name) {
  const auto begin = text.find(name + "=");
  if (begin == std::string::npos) return {};
  const auto from = begin + name.size() + 1;
  return text.substr(from, text.find_first_of("& \r\n", from) - from);
}

HttpRequest request_from(const json::Value& said) {
  HttpRequest request;
  request.method = said.string_at("method").value_or("GET");
  request.url = said.string_at("path").value_or("/");
  request.headers.emplace_back("Host", "localhost:9090");
  if (const auto bearer = said.string_at("bearer")) {
    request.headers.emplace_back("Authorization", "Bearer " + std::string(*bearer));
  }
  if (const json::Value* headers = said.find("headers"); headers != nullptr) {
    for (const auto& [name, value] : *headers->as_object())
      request.headers.emplace_back(name, *value.as_string());
  }
  if (const auto text = said.string_at("body_text")) request.body = *text;
  if (const json::Value* body = said.find("body"); body != nullptr) request.body = json::write(*body);
  return request;
}

}  // namespace

void check_form(const HttpRequest& request, const HttpResponse& response) {
  const auto type = find_header(response.headers, "content-type");
  if (response.body.empty()) {
    EXPECT_FALSE(type) << "a content type without a body";
  } else {
    EXPECT_EQ(type, "application/json");
  }
  const auto id = find_header(response.headers, "x-appservices-request-id");
  EXPECT_TRUE(id && is_object_id(*id));
  EXPECT_EQ(find_header(response.headers, "cache-control"), "no-store");
  EXPECT_EQ(find_header(response.headers, "x-content-type-options"), "nosniff");
  if (response.status >= 400) {
    const auto body = json::parse(response.body, kLimits);
    ASSERT_TRUE(body && body->string_at("error")) << response.body;
  }
  if (response.status == 401) {
    EXPECT_EQ(find_header(response.headers, "www-authenticate"), "Bearer");
  }
  if (response.status == 503) {
    EXPECT_EQ(find_header(response.headers, "retry-after"), "1");
  }
  const bool is_client = request.url.rfind("/api/client/", 0) == 0;
  const auto origin = find_header(request.headers, "origin");
  if (is_client && origin) {
    EXPECT_EQ(find_header(response.headers, "vary"), "Origin");
  }
  if (!origin) {
    EXPECT_FALSE(find_header(response.headers, "access-control-allow-origin"));
  }
}

ExchangeRunner::ExchangeRunner(ContractServer& server)
    : server_(server),
      names_{{"admin_email", server.admin_email()},
             {"admin_password", server.admin_password()},
             {"client", "/api/client/v2.0"},
             {"admin_api", "/api/admin/v3.0"}} {}

void ExchangeRunner::run_file(const std::string& file) {
  SCOPED_TRACE(file);
  const json::Value scenario = read_file(std::string(KEYTURN_EXCHANGES) + "/" + file);
  if (const auto given = scenario.string_at("given")) run_file("given/" + std::string(*given) + ".json");
  const json::Value* steps = scenario.find("steps");
  ASSERT_TRUE(steps != nullptr && steps->as_array() != nullptr);
  run_steps(*steps->as_array());
}

void ExchangeRunner::run_steps(const json::Array& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const json::Value& step = steps[i];
    SCOPED_TRACE("step " + std::to_string(i) + " " + std::string(step.string_at("about").value_or("")));
    if (const auto seconds = step.int_at("advance_seconds")) {
      server_.clock().advance(std::chrono::seconds(*seconds));
    } else if (step.find("mail") != nullptr) {
      mail(step);
    } else if (step.find("sign") != nullptr) {
      sign(step);
    } else {
      exchange(step);
    }
    if (::testing::Test::HasFatalFailure()) return;
  }
}

HttpResponse ExchangeRunner::ask(const json::Value& said) {
  const HttpRequest request = request_from(substitute(said, names_));
  HttpResponse response = server_.ask(request);
  check_form(request, response);
  return response;
}

void ExchangeRunner::exchange(const json::Value& step) {
  ASSERT_NE(step.find("request"), nullptr);
  SCOPED_TRACE(json::write(*step.find("request")));
  const HttpResponse answer = ask(*step.find("request"));
  SCOPED_TRACE("answered " + std::to_string(answer.status) + " " + answer.body);

  const json::Value* wanted = step.find("response");
  ASSERT_NE(wanted, nullptr);
  ASSERT_EQ(answer.status, wanted->int_at("status"));
  if (const json::Value* headers = wanted->find("headers"); headers != nullptr) {
    for (const auto& [name, value] : *headers->as_object()) {
      const auto found = find_header(answer.headers, name);
      if (value.is_null()) {
        EXPECT_FALSE(found) << name;
      } else {
        const json::Value actual = found ? json::Value(*found) : json::Value();
        EXPECT_EQ(difference(substitute(value, names_), actual, "", name), "");
      }
    }
  }
  const json::Value* body = wanted->find("body");
  if (body == nullptr) {
    EXPECT_EQ(answer.body, "");
    return;
  }
  const auto actual = json::parse(answer.body, kLimits);
  ASSERT_TRUE(actual);
  const auto id = find_header(answer.headers, "x-appservices-request-id").value_or("");
  EXPECT_EQ(difference(substitute(*body, names_), *actual, id), "");
  save(step, *actual);
}

void ExchangeRunner::save(const json::Value& step, const json::Value& from) {
  const json::Value* names = step.find("save");
  if (names == nullptr) return;
  for (const auto& [name, path] : *names->as_object()) {
    const json::Value* found = value_at(from, *path.as_string());
    ASSERT_TRUE(found != nullptr) << *path.as_string();
    names_[name] = found->as_string() != nullptr ? *found->as_string() : json::write(*found);
  }
}

void ExchangeRunner::mail(const json::Value& step) {
  const auto message = server_.mail_to(substitute(*step.string_at("mail"), names_));
  ASSERT_NE(message.to, "") << "no mail came";
  save(step, json::Object{{"token", parameter(message.body, "token")},
                          {"tokenId", parameter(message.body, "tokenId")},
                          {"subject", message.subject},
                          {"body", message.body}});
}

void ExchangeRunner::sign(const json::Value& step) {
  const json::Value& order = *step.find("sign");
  const std::string key = substitute(*order.string_at("key"), names_);
  std::string token = crypto::base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
                      crypto::base64url_encode(json::write(substitute(*order.find("claims"), names_)));
  const auto mac = crypto::hmac_sha256(key, token);
  token += "." + crypto::base64url_encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
  names_[std::string(*order.string_at("as"))] = token;
}

}  // namespace keyturn::contract
