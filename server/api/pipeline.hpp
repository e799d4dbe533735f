// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/api/api.hpp"
#include "server/api/call.hpp"
#include "server/api/router.hpp"
#include "server/domain/sessions/possession.hpp"

namespace keyturn::server {

/// What every request goes through, in the order of errors.md 5: route, app, bearer, body, operation; then
/// headers, error body and log.
class Api::Pipeline {
 public:
  Pipeline(const ApiServices& services, ApiOptions options);

  [[nodiscard]] protocol::Plan plan(std::string_view method, std::string_view target) const noexcept;
  [[nodiscard]] protocol::Plan plan_for(const HttpRequest& head) const noexcept;
  [[nodiscard]] protocol::Reply reply(const HttpRequest& request, const protocol::ClientAddress& client);
  [[nodiscard]] HttpResponse refuse(int status, std::string_view why, const HttpRequest& head);

 private:
  struct Exchange;

  [[nodiscard]] api::Match match(std::string_view method, std::string_view target) const noexcept;
  [[nodiscard]] protocol::Lane lane_of(const api::Match& match) const noexcept;
  [[nodiscard]] std::string new_request_id(WallTime now);
  Result<api::Answer> run(Exchange& exchange, const api::Match& match);
  Result<void> find_app(api::Call& call, const api::Match& match) const;
  Result<void> authenticate(api::Call& call, const api::Route& route);
  [[nodiscard]] HttpResponse render(Exchange& exchange, const Result<api::Answer>& outcome);
  [[nodiscard]] HttpResponse render_error(Exchange& exchange, Error error);
  void record(const Exchange& exchange, int status) const;
  void log_event(const Exchange& exchange, int status, std::string error, std::string error_code);

  ApiServices services_;
  ApiOptions options_;
  PossessionRules possession_;
  api::Router router_;
  api::Match refresh_;  ///< The route that nearly all requests are for, found beforehand.
  AppLog own_log_;
  AppLog& log_;
  std::string
      id_prefix_;  ///< Five random bytes, then a counter: unique; nothing depends on its being secret.
  std::atomic<std::uint32_t> id_counter_{0};
};

}  // namespace keyturn::server
