// SPDX-License-Identifier: Apache-2.0
#include "server/api/possession.hpp"

#include <algorithm>

#include "core/protocol/http_uri.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/sessions/possession.hpp"

namespace keyturn::server::api {

Result<std::string> proven_key(const Call& call) {
  const auto proof = find_header(call.request.headers, kProofHeader);
  if (!proof) return std::string();
  const auto is_proof = [](const auto& line) { return find_header({line}, kProofHeader).has_value(); };
  if (std::count_if(call.request.headers.begin(), call.request.headers.end(), is_proof) > 1) {
    return refusal(ErrorCode::InvalidDpopProof, "more than one proof of possession");
  }
  // Not the request's own Host: whoever sends a stolen proof on says what it likes there.
  const auto is_own = [&call](std::string_view origin) {
    if (call.options.public_url.empty())
      return call.options.is_own_origin && call.options.is_own_origin(origin);
    const auto own = protocol::normal_http_uri(call.options.public_url);
    return own && own->origin == origin;
  };
  return call.possession.check(*proof, call.request.method, path_of(call.request.url), is_own, call.started);
}

}  // namespace keyturn::server::api
