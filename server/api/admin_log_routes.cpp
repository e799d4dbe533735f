// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <utility>

#include "server/api/call.hpp"
#include "server/api/routes.hpp"

// The latest refusals of an app, to which the `link` of an error body leads (admin-api.md 11).
namespace keyturn::server::api {
namespace {

constexpr std::size_t kMostLines = 100;

std::size_t number_of(const Call& call, std::string_view name, std::size_t otherwise) {
  const std::string text = call.parameter(name).value_or("");
  std::size_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() && !text.empty() ? value : otherwise;
}

json::Object line_of(const LoggedError& entry) {
  return {{"_id", entry.request_id},
          {"co_id", entry.request_id},
          {"type", entry.path.find("/functions/") == std::string::npos ? "AUTH" : "FUNCTION"},
          {"user_id", entry.user_id},
          {"domain_id", entry.domain_id},
          {"app_id", entry.app_id},
          {"group_id", entry.group_id},
          {"request_url", entry.path},
          {"request_method", entry.method},
          {"status", entry.status},
          {"started", unix_seconds(entry.started)},
          {"completed", unix_seconds(entry.completed)},
          {"error", entry.error},
          {"error_code", entry.error_code},
          {"messages", json::Array()}};
}

Result<Answer> list(Call& call) {
  const std::string request_id = call.parameter("co_id").value_or("");
  const std::string user_id = call.parameter("user_id").value_or("");
  const auto entries = call.errors.find({call.app_id(), request_id, user_id, number_of(call, "skip", 0),
                                         std::min(number_of(call, "limit", kMostLines), kMostLines)});
  json::Array lines;
  for (const LoggedError& entry : entries) lines.emplace_back(line_of(entry));
  return json_answer(json::Object{{"logs", std::move(lines)}});
}

}  // namespace

const std::vector<Route>& admin_log_routes() {
  static const std::vector<Route> routes{
      {"GET", "/groups/{}/apps/{}/logs", protocol::Lane::immediate, Auth::admin, Body::ignored, list},
  };
  return routes;
}

}  // namespace keyturn::server::api
