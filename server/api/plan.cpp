// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/protocol/routes.hpp"
#include "server/api/bearer.hpp"
#include "server/api/body.hpp"
#include "server/api/functions/endpoint_caller.hpp"
#include "server/api/pipeline.hpp"
#include "server/domain/apps/settings.hpp"

// In which lane a request is worked on.
namespace keyturn::server {

using api::Match;
using api::Surface;

namespace {

constexpr std::string_view kProviders = "/app/{}/auth/providers/";
constexpr std::string_view kConfirmCall = "/app/{}/auth/providers/local-userpass/confirm/call";
constexpr std::string_view kResetCall = "/app/{}/auth/providers/local-userpass/reset/call";
constexpr std::size_t kSmallBody = std::size_t{64} * 1024;

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::uint64_t number_of(std::string_view text) {
  if (text.empty()) return 0;
  return std::max<std::uint64_t>(std::hash<std::string_view>{}(text), 1);
}

/// The app that the path names, and the credentials that come along. Those are not verified yet: a share by
/// the user that they name could be used up by a stranger.
protocol::Share share_of(const Match& found, const HttpRequest& head) {
  const std::size_t app = found.surface == Surface::admin ? 1 : 0;
  if (found.argument_count <= app) return {};
  std::string credentials;
  for (const std::string_view name : {"authorization", "apikey", "api-key", "email", "jwttokenstring"}) {
    const auto value = find_header(head.headers, name);
    if (value && !value->empty()) credentials.append(*value).push_back('\n');
  }
  // Decoded as `find_app` does it: another spelling of the id is the same app.
  return {number_of(api::percent_decode(found.arguments[app]).value_or("")), number_of(credentials)};
}

}  // namespace

protocol::Plan Api::Pipeline::plan(std::string_view method, std::string_view target) const noexcept {
  const Match found = match(method, target);
  if (found.route == nullptr) return {protocol::Lane::immediate, kSmallBody};
  return {lane_of(found), api::body_limit(found.route->body, found.surface)};
}

/// What the target alone does not tell: a refresh that reads a document does so off the I/O thread, and a
/// password in a header is hashed where passwords are.
protocol::Plan Api::Pipeline::plan_for(const HttpRequest& head) const noexcept {
  using protocol::Lane;
  protocol::Plan out = plan(head.method, head.url);
  try {
    if (out.lane == Lane::immediate) {
      const bool may_read = services_.directory.has_user_data() && head.method == "POST" &&
                            match(head.method, head.url).route == refresh_.route;
      if (!may_read) return out;
      const auto bearer = api::read_bearer(head.headers, {});
      const auto app = bearer ? app_named_by_token(services_.directory, *bearer) : nullptr;
      if (app != nullptr && app->app.user_data && app->app.user_data->in_access_token) {
        out.lane = Lane::storage;
      }
      return out;
    }
    if (out.lane != Lane::function) return out;
    const Match found = match(head.method, head.url);
    out.share = share_of(found, head);
    if (!api::brings_password(head.headers) || found.surface != Surface::endpoint) return out;
    const auto app =
        services_.directory.by_client_app_id(api::percent_decode(found.arguments[0]).value_or(""));
    const bool is_known = app != nullptr && services_.sessions.knows_password(
                                                *app, find_header(head.headers, "email").value_or(""),
                                                find_header(head.headers, "password").value_or(""));
    // A first request may run the function that is asked before a user comes into being: not in that lane.
    const bool may_run_function = app != nullptr && !app->app.user_creation_function.empty();
    if (app != nullptr && !is_known && !may_run_function) out.lane = Lane::password;
  } catch (const std::exception&) {  // no memory: the usual lane
  }
  return out;
}

/// A log-in or a registration that runs a function of the app waits for that function, which may take its
/// time, so it is worked on where functions are.
protocol::Lane Api::Pipeline::lane_of(const Match& found) const noexcept {
  using protocol::Lane;
  const Lane usual = found.route->lane;
  if (found.surface != Surface::client || (usual != Lane::password && usual != Lane::storage) ||
      !starts_with(found.pattern, kProviders)) {
    return usual;
  }
  // Decoded as `find_app` does it: another spelling of the id must not lead to another lane.
  std::shared_ptr<const AppView> app;
  try {
    app = services_.directory.by_client_app_id(api::percent_decode(found.arguments[0]).value_or(""));
  } catch (const std::exception&) {  // no memory for the text
    return Lane::function;
  }
  if (app == nullptr) return usual;
  const std::string_view operation = found.pattern.substr(found.pattern.rfind('/'));
  if (operation == "/login") return app->app.user_creation_function.empty() ? usual : Lane::function;
  const AuthProvider* provider = app->provider("local-userpass");
  if (provider == nullptr) return usual;
  const bool confirms = flag_at(provider->config, "runConfirmationFunction");
  const bool resets = flag_at(provider->config, "runResetFunction");
  const bool is_confirmation = operation == "/register" || starts_with(found.pattern, kConfirmCall);
  const bool is_reset = starts_with(found.pattern, kResetCall);
  return (confirms && is_confirmation) || (resets && is_reset) ? Lane::function : usual;
}

}  // namespace keyturn::server
