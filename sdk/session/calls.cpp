// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/origin.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/session/stored_profile.hpp"
#include "sdk/session/verdict.hpp"

namespace keyturn::sdk {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

Result<std::string> body_or_error(Result<HttpResponse> response) {
  if (!response) return response.error();
  if (response->status < 200 || response->status >= 300) return protocol::error_of(*response);
  return std::move(response->body);
}

}  // namespace

void SessionManager::send(std::string_view method, std::string url, std::string_view bearer, std::string body,
                          std::chrono::milliseconds timeout, ResponseHandler done) {
  HttpRequest request{std::string(method),
                      std::move(url),
                      {{"Accept", std::string(protocol::kJsonContentType)}},
                      std::move(body),
                      timeout};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", protocol::kJsonContentType);
  if (!bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + std::string(bearer));
  parts_.transport->send(std::move(request), std::move(done));
}

void SessionManager::send_authorized(const UserRef& user, HttpRequest request, ResponseHandler done) {
  std::erase_if(request.headers, [](const auto& line) { return same_name(line.first, "authorization"); });
  if (!find_header(request.headers, "accept"))
    request.headers.emplace_back("Accept", protocol::kJsonContentType);
  request.timeout = std::clamp(request.timeout, std::chrono::milliseconds(0), kLongestTimeout);
  const BootTime deadline = parts_.clock->boot_now() + request.timeout;
  // It may hold a password (row B-33).
  const auto wiped = [](HttpRequest* sent) {
    wipe_message(*sent);
    delete sent;
  };
  send_with_replay(user, std::shared_ptr<const HttpRequest>(new HttpRequest(std::move(request)), wiped),
                   deadline, true, std::move(done));
}

void SessionManager::send_with_replay(const UserRef& user, std::shared_ptr<const HttpRequest> request,
                                      BootTime deadline, bool may_replay, ResponseHandler done) {
  with_token(user, std::chrono::seconds(0), deadline,
             [this, user, request, deadline, may_replay, done = std::move(done)](Result<std::string> token) {
               if (!token) {
                 done(token.error());
                 return;
               }
               HttpRequest copy = *request;
               copy.timeout =
                   std::chrono::ceil<std::chrono::milliseconds>(deadline - parts_.clock->boot_now());
               if (copy.timeout.count() <= 0) {
                 done(Error(ErrorCode::DeadlineExceeded, "no answer within the time limit"));
                 return;
               }
               copy.headers.emplace_back("Authorization", "Bearer " + *token);
               auto sent = std::make_shared<Secret>(*token);
               wipe_memory(token->data(), token->size());
               parts_.transport->send(std::move(copy), [this, user, request, deadline, may_replay, done,
                                                        sent](Result<HttpResponse> response) {
                 if (!may_replay || !response || !token_rejected(*response)) {
                   done(std::move(response));
                   return;
                 }
                 reject(user, sent->reveal());
                 send_with_replay(user, request, deadline, false, done);
               });
             });
}

Pending<HttpResponse> SessionManager::request(UserRef user, HttpRequest request) {
  const auto answer = new_answer<HttpResponse>();
  auto pending = answer.pending();
  auto url = address_at_origin(settings_.base_url, request.url);
  if (!url) {
    answer.set(url.error());
    return pending;
  }
  request.url = std::move(*url);
  parts_.loop->post([this, user = std::move(user), request = std::move(request), answer]() mutable {
    mark_in_use(user);
    send_authorized(user, std::move(request),
                    [answer](Result<HttpResponse> response) { answer.set(std::move(response)); });
  });
  return pending;
}

void SessionManager::call(UserRef user, Bearer bearer, std::string method, std::string path, std::string body,
                          TokenHandler done) {
  parts_.loop->post([this, user = std::move(user), bearer, method = std::move(method), path = std::move(path),
                     body = std::move(body), done = std::move(done)]() mutable {
    if (bearer == Bearer::none) {
      send(method, address(path), {}, std::move(body), settings_.request_timeout,
           [done](Result<HttpResponse> r) { done(body_or_error(std::move(r))); });
      return;
    }
    mark_in_use(user);
    if (user->state != UserState::logged_in) {
      done(not_logged_in(*user));
      return;
    }
    if (bearer == Bearer::access) {
      HttpRequest request{std::move(method), address(path), {}, std::move(body), settings_.request_timeout};
      if (!request.body.empty()) request.headers.emplace_back("Content-Type", protocol::kJsonContentType);
      send_authorized(user, std::move(request),
                      [done](Result<HttpResponse> r) { done(body_or_error(std::move(r))); });
      return;
    }
    const Secret refresh_token =
        user->look([](const StoredUser& facts) { return facts.refresh_token.copy(); });
    send(method, address(path), refresh_token.reveal(), std::move(body), settings_.request_timeout,
         [this, user, done](Result<HttpResponse> response) {
           if (!response || !token_rejected(*response)) {
             done(body_or_error(std::move(response)));
             return;
           }
           // Whether the session is over is for one place to find out: the answer to a refresh.
           Error refused = protocol::error_of(*response);
           join_refresh(user, Why::rejected, usual_deadline(),
                        [this, user, done, refused](const Result<void>&) {
                          done(user->state == UserState::logged_in ? refused : not_logged_in(*user));
                        });
         });
  });
}

void SessionManager::read_profile(const UserRef& user, ProfileHandler done) {
  HttpRequest request{"GET", address(protocol::kProfilePath), {}, {}, settings_.request_timeout};
  send_authorized(user, std::move(request),
                  [this, user, done = std::move(done)](Result<HttpResponse> response) {
                    auto body = body_or_error(std::move(response));
                    if (!body) {
                      done(body.error());
                      return;
                    }
                    const auto profile = protocol::parse_profile(*body);
                    if (!profile) {
                      done(profile.error());
                      return;
                    }
                    store_queue_.run([this, user, profile = *profile, done](bool last) {
                      return store_profile(user, profile, done, last);
                    });
                  });
}

bool SessionManager::store_profile(const UserRef& user, const protocol::Profile& profile,
                                   const ProfileHandler& done, bool last) {
  // On top of what other processes wrote meanwhile.
  if (auto stored = parts_.store->load_user(user->id); stored && *stored) adopt(user, std::move(**stored));
  StoredUser facts = user->facts();
  if (!facts.logged_in || profile.user_id != user->id) {
    done(facts.logged_in ? Error(ErrorCode::InvalidServerResponse, "the profile is of another user")
                         : not_logged_in(*user));
    return true;
  }
  take_profile(facts, profile);
  const auto saved = parts_.store->update(facts, UserPart::profile);
  if (!last && is_locked(saved)) return false;
  if (!saved) {
    done(saved.error());
    return true;
  }
  if (*saved == ReplaceOutcome::generation_changed) {
    look_around();
    done(Error(ErrorCode::Cancelled, "the user's session was replaced meanwhile"));
    return true;
  }
  user->set_facts(std::move(facts));
  tell(UserEvent::Kind::profile_changed, user);
  done({});
  return true;
}

Pending<void> SessionManager::refresh_profile(UserRef user) {
  const auto answer = new_answer<void>();
  auto pending = answer.pending();
  parts_.loop->post([this, user = std::move(user), answer] {
    mark_in_use(user);
    read_profile(user, [answer](Result<void> result) { answer.set(std::move(result)); });
  });
  return pending;
}

}  // namespace keyturn::sdk
