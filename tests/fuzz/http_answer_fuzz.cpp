// SPDX-License-Identifier: Apache-2.0
// Any answer of anybody to a refresh, a log-out or a request: what counts as a verdict has our shape. The
// input is a status line's number, header lines, an empty line and a body.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/protocol/messages.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/token_claims.hpp"
#include "sdk/session/verdict.hpp"

namespace {

using namespace keyturn;

void demand(bool holds) {
  if (!holds) std::abort();
}

HttpResponse answer_of(std::string_view input) {
  HttpResponse out;
  const auto line = [&input] {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view found = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return found;
  };
  for (const char digit : line().substr(0, 3))
    out.status = out.status * 10 + (digit >= '0' && digit <= '9' ? digit - '0' : 0);
  for (std::string_view header = line(); !header.empty(); header = line()) {
    const std::size_t colon = std::min(header.find(": "), header.size());
    out.headers.emplace_back(header.substr(0, colon), header.substr(std::min(colon + 2, header.size())));
  }
  out.body = input;
  return out;
}

bool says_json(const HttpResponse& answer) {
  std::string type(find_header(answer.headers, "content-type").value_or(""));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type.starts_with("application/json");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const HttpResponse answer = answer_of({reinterpret_cast<const char*>(data), size});
  const sdk::RefreshAnswer judged = sdk::judge_refresh(answer);
  switch (judged.verdict) {
    case sdk::Verdict::refreshed:
      demand((answer.status == 200 || answer.status == 201) && says_json(answer) &&
             sdk::looks_like_jwt(judged.access_token.reveal()));
      (void)sdk::read_claims(judged.access_token.reveal());
      break;
    case sdk::Verdict::session_over:
      demand(answer.status == 401 && says_json(answer));
      demand(answer.body.find("InvalidSession") != std::string::npos ||
             answer.body.find("UserDisabled") != std::string::npos ||
             answer.body.find("\\u") != std::string::npos);
      break;
    case sdk::Verdict::transient:
      demand(judged.error.remedy == Remedy::retry_later);
      demand(!judged.retry_after ||
             (judged.retry_after->count() >= 0 && *judged.retry_after <= sdk::kLongestRetryAfter));
  }
  if (sdk::revocation_delivered(answer))
    demand(answer.status == 200 || answer.status == 204 || answer.status == 401);
  if (sdk::token_rejected(answer)) demand(answer.status == 401);
  (void)sdk::server_time_of(answer.headers);
  (void)protocol::parse_login_response(answer.body);
  (void)protocol::parse_profile(answer.body);
  return 0;
}
