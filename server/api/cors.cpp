// SPDX-License-Identifier: Apache-2.0
#include "server/api/cors.hpp"

#include <algorithm>
#include <string>

namespace keyturn::server::api {
namespace {

bool allows(const App& app, std::string_view origin) {
  const auto& origins = app.allowed_request_origins;
  return origins.empty() || std::find(origins.begin(), origins.end(), origin) != origins.end();
}

/// The names of a preflight are echoed, so they must be names.
bool is_list_of_names(std::string_view text) {
  return text.size() <= 1'024 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == ',' || c == ' ';
         });
}

/// Credentials in headers are not for pages (data-api.md 2).
bool names_credentials(std::string_view names) {
  std::string lower(names);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower.find("password") != std::string::npos || lower.find("apikey") != std::string::npos ||
         lower.find("jwttokenstring") != std::string::npos;
}

}  // namespace

bool is_origin_allowed(const AppDirectory& directory, const AppView* app, std::string_view origin) {
  if (app != nullptr) return allows(app->app, origin);
  const auto all = directory.all();
  return all.empty() ||
         std::any_of(all.begin(), all.end(), [&](const auto& each) { return allows(each->app, origin); });
}

void add_cors(HttpResponse& response, const HttpRequest& request, const AppDirectory& directory,
              const AppView* app) {
  const auto origin = find_header(request.headers, "origin");
  if (!origin) return;
  response.headers.emplace_back("Vary", "Origin");
  if (!is_origin_allowed(directory, app, *origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", *origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Access-Control-Expose-Headers", "x-baas-location, x-appservices-request-id");
}

void add_preflight(HttpResponse& response, const HttpRequest& request) {
  if (!find_header(response.headers, "access-control-allow-origin")) return;
  std::string names = "Authorization, Content-Type, Accept";
  const auto asked = find_header(request.headers, "access-control-request-headers");
  if (asked && !asked->empty() && is_list_of_names(*asked) && !names_credentials(*asked))
    names += ", " + std::string(*asked);
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  response.headers.emplace_back("Access-Control-Allow-Headers", names);
  response.headers.emplace_back("Access-Control-Max-Age", "600");
}

}  // namespace keyturn::server::api
