// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/domain/accounts/api_key_service.hpp"
#include "server/domain/accounts/password_service.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/apps/app_log.hpp"
#include "server/domain/apps/app_service.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/apps/function_runtime.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/domain/sessions/session_service.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server {

class AppPackages;
class WatchHub;

/// The rules that the routes call. Lifetime: all must outlive the `Api`.
struct ApiServices {
  AppDirectory& directory;
  AppService& apps;
  SessionService& sessions;
  UserService& users;
  PasswordService& passwords;
  ApiKeyService& api_keys;
  SessionStore& session_store;  ///< Only to list the devices of a user.
  Clock& clock;
  FunctionRuntime* functions = nullptr;   ///< Null: functions answer `ServiceUnavailable`.
  DataService* data = nullptr;            ///< Null: no service is linked.
  AppLog* log = nullptr;                  ///< Null: the `Api` keeps one of its own.
  WatchHub* watches = nullptr;            ///< Null: nothing can be watched.
  const AppPackages* packages = nullptr;  ///< Null: no app has packages.
};

/// One finished request, for the operator's log. Holds no token, password, key, query or body.
/// Lifetime: the views are valid during the call.
struct AccessRecord {
  std::string_view request_id;
  std::string_view method;
  std::string_view path;  ///< Without the query; as received, so it may hold anything: encode it.
  int status = 0;
  std::chrono::microseconds duration{0};
  std::string_view app_id;      ///< Empty when no app is known.
  std::string_view error_code;  ///< Empty for successes and for errors without a code.
  std::string_view reason;      ///< Why the session of the request is over.
  std::string_view detail;      ///< What is behind a 5xx; the client is not told.
};

struct ApiOptions {
  /// The address by which clients reach the server, "https://auth.example.com", without a trailing slash.
  /// Empty: what each request's `Host` says, with `scheme`.
  std::string public_url;
  std::string scheme = "http";
  /// Without `public_url`: whether a proof of possession for this origin, in its normal form, is for this
  /// server. Empty: none is.
  std::function<bool(std::string_view origin)> is_own_origin;
  /// Whether the server can do its work at the moment (`/readyz`). Empty: always.
  std::function<bool()> is_ready;
  /// Called once per request, on the thread that answered it; must not block. May be empty.
  std::function<void(const AccessRecord&)> on_access;
};

/// The routes of the server: reads a request, calls the domain, renders the answer (client-api.md,
/// admin-api.md).
///
/// Thread safety: all members. Errors never leave as exceptions: one that is thrown inside becomes a 500
/// without detail.
class Api final : public protocol::RequestHandler {
 public:
  Api(const ApiServices& services, ApiOptions options);
  ~Api() override;

  [[nodiscard]] protocol::Plan plan(std::string_view method, std::string_view target) const noexcept override;
  [[nodiscard]] protocol::Plan plan_for(const HttpRequest& head) const noexcept override;
  void handle(HttpRequest request, protocol::Respond respond) override;
  void handle_from(const protocol::ClientAddress& client, HttpRequest request,
                   protocol::Respond respond) override;
  [[nodiscard]] HttpResponse refuse(int status, std::string_view why, const HttpRequest& head) override;

  /// `handle` without the callback.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request);

 private:
  class Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace keyturn::server
