// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/api/api.hpp"
#include "server/api/router.hpp"

namespace keyturn::server {
class PossessionRules;
}

namespace keyturn::server::api {

/// What a handler answers. An empty body goes without `Content-Type` (client-api.md 1.2).
struct Answer {
  int status = 204;
  std::string body;
  HttpHeaders headers = {};       ///< Besides the usual ones.
  std::string content_type = {};  ///< Of the body; empty: JSON, unless `headers` say otherwise.
  std::unique_ptr<protocol::BodyStream> stream = nullptr;  ///< Instead of `body`: `text/event-stream`.
};
[[nodiscard]] inline Answer no_content(int status = 204) { return {status, {}}; }
[[nodiscard]] Answer json_answer(json::Value value, int status = 200);
[[nodiscard]] inline Answer text_answer(std::string json, int status = 200) {
  return {status, std::move(json)};
}
/// 204, or the error.
[[nodiscard]] Result<Answer> no_content_of(const Result<void>& done, int status = 204);

/// One request on its way through the pipeline.
///
/// Lifetime: that of the request; belongs to one thread.
struct Call {
  const ApiServices& services;
  const ApiOptions& options;
  AppLog& log;
  PossessionRules& possession;
  const HttpRequest& request;
  std::string request_id;
  WallTime started;

  std::string_view kind = {};  ///< Of the route.
  std::array<std::string, kMostArguments> arguments = {};
  std::shared_ptr<const AppView> app = {};  ///< Of the path, else of the bearer; null when neither names one.
  std::optional<Caller> caller = {};        ///< Set for `access`, `refresh` and `admin`.
  std::string_view bearer = {};             ///< Set for `session` and `admin_session`.
  json::Value body = {};
  std::string user_id = {};           ///< Who a log-in turned out to be, for the app's log.
  std::string query_bearer = {};      ///< What `bearer` views when it came in the query.
  std::string withheld = {};          ///< What an error does not tell the client, for the operator.
  bool is_logged = false;             ///< The app's log has this request already.
  bool has_read_credentials = false;  ///< Those in headers (data-api.md 2), which are ours then.
  std::shared_ptr<const AppView> bearer_app = {};  ///< Of a refresh, for the access log.
  std::string_view remote_address = {};            ///< The client's; empty: not known.
  LoginOrigin origin = {};                         ///< Where the credentials of this request come from.

  [[nodiscard]] const json::Object& members() const { return *body.as_object(); }
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
    return query_parameter(query_of(request.url), name);
  }
  [[nodiscard]] const std::string& app_id() const { return app->app.id; }
  /// "http://host:port" by which this client reaches the server.
  [[nodiscard]] std::string base_url() const;
};

/// 400 `BadRequest` "'<name>' is a required string" when the member is absent or of another type (row B-72).
[[nodiscard]] Result<std::string_view> required_text(const json::Object& object, std::string_view name);
/// An absent or null member is an empty text.
[[nodiscard]] Result<std::string_view> optional_text(const json::Object& object, std::string_view name);

[[nodiscard]] std::int64_t unix_seconds(WallTime time);

}  // namespace keyturn::server::api
