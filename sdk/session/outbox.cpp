// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/outbox.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/verdict.hpp"

namespace keyturn::sdk {
namespace {

Error not_heard(const Result<HttpResponse>& answer) {
  Error error = answer ? protocol::error_of(*answer) : answer.error();
  error.remedy = Remedy::retry_later;
  return error;
}

}  // namespace

void Outbox::deliver_new() {
  first_try_ = true;
  backoff_.succeeded();
  deliver();
}

void Outbox::deliver_then(std::function<void(Result<void>)> done) {
  waiting_.push_back(std::move(done));
  backoff_.succeeded();
  deliver();
}

void Outbox::tell_waiting(const Result<void>& outcome) {
  for (const auto& done : std::exchange(waiting_, {})) done(outcome);
}

void Outbox::tell_once(Secret refresh_token) {
  if (refresh_token.empty()) return;
  ++telling_once_;
  parts_.transport->send(revocation_of(refresh_token), [this](const Result<HttpResponse>& answer) {
    --telling_once_;
    parts_.log(revocation_delivered(answer) ? "log-out told to the server"
                                            : "log-out not told to the server yet");
  });
}

HttpRequest Outbox::revocation_of(const Secret& refresh_token) const {
  HttpRequest request{"DELETE", parts_.address, {{"Accept", "application/json"}}, {}, parts_.timeout};
  request.headers.emplace_back("Authorization", "Bearer " + std::string(refresh_token.reveal()));
  return request;
}

void Outbox::deliver() {
  if (busy_) {
    again_ = true;
    return;
  }
  if (!backoff_.may_try(parts_.clock->boot_now())) {
    arm_timer();
    return;
  }
  auto waiting = parts_.store->outbox();
  if (!waiting) {
    end_round(waiting.error(), {});
    return;
  }
  if (waiting->empty()) {
    first_try_ = false;
    tell_waiting({});
    return;
  }
  busy_ = true;
  failure_.reset();
  round_ = std::move(*waiting);
  std::reverse(round_.begin(), round_.end());
  send_next();
}

void Outbox::send_next() {
  if (round_.empty()) {
    end_round(failure_, {});
    return;
  }
  const std::int64_t id = round_.back().id;
  HttpRequest request = revocation_of(round_.back().refresh_token);
  round_.pop_back();
  parts_.transport->send(std::move(request), [this, id](Result<HttpResponse> answer) {
    if (revocation_delivered(answer)) {
      parts_.log("log-out told to the server");
      (void)parts_.store->delivered(id);  // a failure makes one more, harmless delivery
      send_next();
    } else if (!answer || answer->status == 429 || answer->status == 503) {
      end_round(not_heard(answer),
                answer ? retry_after_of(answer->headers, parts_.clock->wall_now()) : std::nullopt);
    } else {
      failure_ = not_heard(answer);  // one that the server does not understand must not hold up the others
      send_next();
    }
  });
}

void Outbox::end_round(const std::optional<Error>& failure,
                       const std::optional<std::chrono::seconds>& retry_after) {
  busy_ = false;
  first_try_ = false;
  round_.clear();
  if (failure) {
    backoff_.failed(parts_.clock->boot_now(), retry_after, parts_.chance());
    parts_.log("log-out not told to the server yet");
  } else {
    backoff_.succeeded();
  }
  const bool again = std::exchange(again_, false);
  if (failure) {
    arm_timer();
    tell_waiting(*failure);
  } else if (again) {
    deliver();
  } else {
    tell_waiting({});
  }
}

void Outbox::arm_timer() {
  if (timer_armed_) return;
  timer_armed_ = true;
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(backoff_.not_before() - parts_.clock->boot_now());
  parts_.loop->schedule(std::max(wait, std::chrono::milliseconds(100)), [this] {
    timer_armed_ = false;
    deliver();
  });
}

}  // namespace keyturn::sdk
