// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "core/protocol/request_handler.hpp"

namespace keyturn::server::api {

struct Call;
struct Answer;

/// `endpoint`: what an app's clients reach below "/app" without the prefix of the client API.
enum class Surface { plain, client, admin, internal, endpoint };

/// Which bearer a route asks for. `session`: a refresh token that the handler hands to the domain unchecked,
/// since the operation checks it. `stream`: an access token, in the parameter `baas_at` when there is no
/// header (client-api.md 14).
enum class Auth { none, access, refresh, session, admin, admin_session, stream };

/// How the body is read before the handler runs (decisions.md "body sizes", "duplicate JSON names", "JSON
/// depth").
enum class Body {
  ignored,
  raw,           ///< At most 64 KiB; the handler reads it.
  object,        ///< An object of at most 64 KiB; empty is `{}`.
  large,         ///< At most 18 MB; the handler reads it.
  function,      ///< An object of at most 18 MB, 100 levels deep.
  admin_object,  ///< An object of at most 1 MiB; of members named twice the last counts; empty, null and `""`
                 ///< are `{}`.
  admin_any,     ///< The same of any type.
};

using Handler = Result<Answer> (*)(Call& call);

/// One row of the table of routes. `pattern` is the path below the surface's prefix; `{}` stands for one
/// segment.
struct Route {
  std::string_view method;
  std::string_view pattern;
  protocol::Lane lane;
  Auth auth;
  Body body;
  Handler handler;
  std::string_view kind = {};  ///< For handlers that serve several kinds of documents.
};

inline constexpr std::size_t kMostArguments = 6;

/// What a path means. Lifetime: the views are of the target that was matched; the route belongs to the
/// `Router`.
struct Match {
  const Route* route = nullptr;  ///< Null: no such path, or not with this method.
  Surface surface = Surface::plain;
  std::string_view pattern;  ///< Also when only the method does not fit; empty when there is no such path.
  std::array<std::string_view, kMostArguments> arguments{};  ///< Segments for `{}`, not decoded.
  std::size_t argument_count = 0;
  bool path_exists = false;
};

/// Finds the route of a request. Segments are compared after decoding them once, so that every spelling of a
/// path is the same path to `plan` and to `handle`.
///
/// Thread safety: immutable after the last `add`.
class Router {
 public:
  void add(Surface surface, const std::vector<Route>& routes);
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const noexcept;
  /// The methods of a path, for `Allow`.
  [[nodiscard]] std::string allowed(std::string_view path) const;

 private:
  struct Row {
    Route route;
    std::vector<std::string_view> segments;
  };
  [[nodiscard]] const std::vector<Row>& rows(Surface surface) const noexcept;
  std::array<std::vector<Row>, 5> rows_;
};

/// The path of a target, and what follows the `?`.
[[nodiscard]] std::string_view path_of(std::string_view target) noexcept;
[[nodiscard]] std::string_view query_of(std::string_view target) noexcept;

/// Decodes `%XX` once; nothing for a broken escape or one of a control character. `plus_is_space`: in a
/// query.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// The first parameter of that name in a query, decoded; nothing when it is absent or broken.
[[nodiscard]] std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace keyturn::server::api
