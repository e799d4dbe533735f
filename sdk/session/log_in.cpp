// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/json/json.hpp"
#include "core/protocol/error_body.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/redacted_body.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/log_text.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/session/stored_profile.hpp"
#include "sdk/session/stored_tokens.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::string_view kAnonymous = "anon-user";

bool succeeded(const HttpResponse& response) { return response.status >= 200 && response.status < 300; }

/// The JSON array that `StoredUser::identities_json` keeps.
std::string stored_identities(const protocol::Profile& profile) {
  json::Array out;
  for (const auto& identity : profile.identities)
    out.emplace_back(json::Object{{"id", identity.id}, {"provider_type", identity.provider_type}});
  return json::write(json::Value(std::move(out)));
}

}  // namespace

bool is_only_anonymous(const StoredUser& user) {
  const auto identities = json::parse(user.identities_json);
  const json::Array* list = identities ? identities->as_array() : nullptr;
  if (list == nullptr || list->empty()) return user.provider_type == kAnonymous;
  for (const json::Value& identity : *list) {
    if (identity.string_at("provider_type") != kAnonymous) return false;
  }
  return true;
}

void take_profile(StoredUser& user, const protocol::Profile& profile) {
  user.profile_json = json::write(json::Value(profile.data));
  user.identities_json = stored_identities(profile);
}

struct SessionManager::LogIn {
  std::function<void(Result<UserRef>)> done;
  StoredUser user;
  BootTime deadline{};  ///< Of the log-in as a whole.
};

Result<std::string> SessionManager::log_in_body(const CredentialsData& credentials) const {
  const std::string_view payload = credentials.payload.reveal();
  if (credentials.well_formed) return protocol::write_login_request(payload, settings_.device);
  const json::Limits limits{std::size_t{64} * 1024, 32, json::DuplicateNames::refuse};
  const protocol::RedactedBody redacted(payload, 0);
  const auto members = payload.size() > limits.max_bytes
                           ? Result<json::Value>(Error(ErrorCode::BadRequest, "too large"))
                           : json::parse(redacted.text(), limits);
  if (!members || members->as_object() == nullptr)
    return Error(ErrorCode::InvalidParameter, "the credentials' payload is not a JSON object");
  if (members->find("options") == nullptr) return protocol::write_login_request(payload, settings_.device);
  auto whole = json::parse(payload, limits);
  if (!whole) return whole.error();
  return protocol::write_login_request({std::move(*whole->as_object()), settings_.device});
}

std::optional<SessionManager::UserRef> SessionManager::reusable_anonymous() const {
  for (const UserRef& user : users_in_order()) {
    if (user->state == UserState::logged_in && user->look(is_only_anonymous)) return user;
  }
  return std::nullopt;
}

void SessionManager::log_in(std::shared_ptr<const CredentialsData> credentials,
                            std::function<void(Result<UserRef>)> done) {
  parts_.loop->post([this, credentials = std::move(credentials), done = std::move(done)] {
    if (credentials->reuse_existing) {
      look_around();
      if (const auto user = reusable_anonymous()) {
        reuse(*user, credentials, done);
        return;
      }
    }
    auto body = log_in_body(*credentials);
    if (!body) {
      done(body.error());
      return;
    }
    auto step = std::make_shared<LogIn>(LogIn{done, {}, usual_deadline()});
    step->user.provider_type = credentials->provider;
    send("POST", address(protocol::login_path(settings_.app_id, credentials->provider)), {}, std::move(*body),
         settings_.request_timeout, [this, step](Result<HttpResponse> response) {
           if (!response || !succeeded(*response)) {
             step->done(response ? protocol::error_of(*response) : response.error());
             return;
           }
           auto login = protocol::parse_login_response(response->body);
           wipe_memory(response->body.data(), response->body.size());
           if (!login) {
             step->done(login.error());
             return;
           }
           if (!looks_like_jwt(login->access_token.reveal()) ||
               !looks_like_jwt(login->refresh_token.reveal()) || login->user_id.empty()) {
             step->done(Error(ErrorCode::BadToken, "Could not log in user: received malformed JWT"));
             return;
           }
           step->user.user_id = login->user_id;
           step->user.device_id = login->device_id;
           step->user.access_token = std::move(login->access_token);
           step->user.refresh_token = std::move(login->refresh_token);
           step->user.logged_in = true;
           stamp_receipt(step->user, response->headers);
           read_profile_then_store(step);
         });
  });
}

void SessionManager::reuse(const UserRef& user, const std::shared_ptr<const CredentialsData>& credentials,
                           const std::function<void(Result<UserRef>)>& done) {
  if (current() == user) {
    done(user);
    return;
  }
  store_queue_.run([this, user, credentials, done](bool last) {
    if (user->state != UserState::logged_in) {  // it has ended while this waited
      log_in(credentials, done);
      return true;
    }
    const auto stored = parts_.store->set_current(user->id);
    if (!last && is_locked(stored)) return false;
    if (!stored) {
      done(stored.error());
      return true;
    }
    set_current(user->id);
    tell(UserEvent::Kind::switched, user);
    done(user);
    return true;
  });
}

void SessionManager::read_profile_then_store(const std::shared_ptr<LogIn>& step) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(step->deadline - parts_.clock->boot_now());
  send("GET", address(protocol::kProfilePath), step->user.access_token.reveal(), {},
       std::clamp(left, std::chrono::milliseconds(1), settings_.attempt_timeout),
       [this, step](Result<HttpResponse> response) { finish_log_in(step, response); });
}

void SessionManager::fail_log_in(LogIn& step, Error error) {
  send("DELETE", address(protocol::kSessionPath), step.user.refresh_token.reveal(), {},
       settings_.attempt_timeout, [](const Result<HttpResponse>&) {});
  step.done(std::move(error));
}

void SessionManager::finish_log_in(const std::shared_ptr<LogIn>& step, const Result<HttpResponse>& response) {
  if (!response || !succeeded(*response)) {
    fail_log_in(*step, response ? protocol::error_of(*response) : response.error());
    return;
  }
  const auto profile = protocol::parse_profile(response->body);
  if (!profile) {
    fail_log_in(*step, profile.error());
    return;
  }
  if (profile->user_id != step->user.user_id) {
    fail_log_in(*step, {ErrorCode::InvalidServerResponse, "the profile is of another user"});
    return;
  }
  take_profile(step->user, *profile);
  store_queue_.run([this, step](bool last) { return store_log_in(*step, last); });
}

bool SessionManager::store_log_in(LogIn& step, bool last) {
  const auto generation = parts_.store->put(step.user, true);
  if (!last && is_locked(generation)) return false;
  if (!generation) {
    fail_log_in(step, generation.error());
    return true;
  }
  const UserRef user = record_of(step.user.user_id);
  step.user.generation = *generation;
  // The order is the store's to give.
  if (auto stored = parts_.store->load_user(user->id); stored && *stored) step.user.order = (*stored)->order;
  const BootTime received_at = step.user.received_boot;
  ++user->epoch;
  user->unsaved = false;
  user->owed_end.reset();
  user->start_over(settings_.backoff);
  mark_in_use(user);
  publish(user, std::move(step.user), received_at);
  retire_flight(user);
  set_current(user->id);
  tell(UserEvent::Kind::logged_in, user);
  log("log-in user=" + logged_user(user->id));
  step.done(user);
  outbox_.deliver();
  return true;
}

Pending<void> SessionManager::link(UserRef user, std::shared_ptr<const CredentialsData> credentials) {
  const auto done = new_answer<void>();
  auto pending = done.pending();
  if (credentials->provider == kAnonymous) {
    done.set(
        Error(ErrorCode::ClientUserAlreadyNamed, "Cannot add anonymous credentials to an existing user."));
    return pending;
  }
  parts_.loop->post([this, user = std::move(user), credentials = std::move(credentials), done] {
    auto body = log_in_body(*credentials);
    if (!body) {
      done.set(body.error());
      return;
    }
    mark_in_use(user);
    HttpRequest request{"POST",
                        address(protocol::login_path(settings_.app_id, credentials->provider, true)),
                        {{"Content-Type", std::string(protocol::kJsonContentType)}},
                        std::move(*body),
                        settings_.request_timeout};
    send_authorized(user, std::move(request),
                    [this, user, epoch = user->epoch, done](Result<HttpResponse> answer) {
                      finish_link(user, epoch, answer, done);
                      if (answer) wipe_message(*answer);
                    });
  });
  return pending;
}

void SessionManager::finish_link(const UserRef& user, std::uint64_t epoch, const Result<HttpResponse>& answer,
                                 const Answer<void>& done) {
  if (!answer || !succeeded(*answer)) {
    done.set(answer ? protocol::error_of(*answer) : answer.error());
    return;
  }
  auto login = protocol::parse_login_response(answer->body);
  if (!login) {
    done.set(login.error());
    return;
  }
  if (login->user_id != user->id || !looks_like_jwt(login->access_token.reveal())) {
    done.set(Error(ErrorCode::InvalidServerResponse, "the answer to the link is for another user"));
    return;
  }
  // The tokens first: a link may open a new session (row B-55), and then the old refresh token is worth
  // nothing.
  const auto tokens = std::make_shared<StoredUser>();
  tokens->access_token = std::move(login->access_token);
  if (looks_like_jwt(login->refresh_token.reveal())) tokens->refresh_token = std::move(login->refresh_token);
  stamp_receipt(*tokens, answer->headers);
  store_queue_.run(
      [this, user, epoch, tokens, done](bool last) { return store_link(user, epoch, *tokens, done, last); });
}

bool SessionManager::store_link(const UserRef& user, std::uint64_t epoch, const StoredUser& tokens,
                                const Answer<void>& done, bool last) {
  const auto replaced = [&] {
    done.set(user->state == UserState::logged_in
                 ? Error(ErrorCode::Cancelled, "the user's session was replaced during the link")
                 : not_logged_in(*user));
    return true;
  };
  if (user->epoch != epoch) return replaced();
  StoredUser fresh = user->facts();
  take_tokens(fresh, tokens);
  const auto saved = parts_.store->renew(fresh);
  if (!last && is_locked(saved)) return false;
  if (saved && !*saved) {
    look_around();
    return replaced();
  }
  ++user->epoch;
  user->unsaved = !saved;
  if (saved) fresh.generation = **saved;
  user->refresh_works();
  const BootTime received_at = fresh.received_boot;
  publish(user, std::move(fresh), received_at);
  retire_flight(user);
  store_queue_.run(
      [this, user, done](bool last_try) { return switch_then_read_profile(user, done, last_try); });
  return true;
}

bool SessionManager::switch_then_read_profile(const UserRef& user, const Answer<void>& done, bool last) {
  if (current() != user && user->state == UserState::logged_in) {
    const auto stored = parts_.store->set_current(user->id);
    if (!last && is_locked(stored)) return false;
    if (stored) {
      set_current(user->id);
      tell(UserEvent::Kind::switched, user);
    }
  }
  read_profile(user, [done](Result<void> result) { done.set(std::move(result)); });
  return true;
}

}  // namespace keyturn::sdk
