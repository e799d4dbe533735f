// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/http.hpp>

#include "server/domain/apps/directory.hpp"

namespace keyturn::server::api {

/// Whether pages of that origin may use the app (client-api.md 1.4). `app` null: a path without an app id,
/// which is open to what any app allows.
[[nodiscard]] bool is_origin_allowed(const AppDirectory& directory, const AppView* app,
                                     std::string_view origin);

/// Adds what a browser wants on every answer, refusals too: without it a page sees no refreshable 401 but a
/// network fault. Nothing when there is no `Origin`; `Vary` only when the origin may not use the app.
void add_cors(HttpResponse& response, const HttpRequest& request, const AppDirectory& directory,
              const AppView* app);

/// Adds what the answer to a preflight has besides.
void add_preflight(HttpResponse& response, const HttpRequest& request);

}  // namespace keyturn::server::api
