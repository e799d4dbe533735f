// SPDX-License-Identifier: Apache-2.0
#include "server/api/possession.hpp"

#include <algorithm>

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
  const std::string url = call.base_url() + std::string(path_of(call.request.url));
  return call.possession.check(*proof, call.request.method, url, call.started);
}

}  // namespace keyturn::server::api
