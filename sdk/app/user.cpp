// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <keyturn/user.hpp>

#include "core/json/json.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/app/app_core.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn {
namespace {

using sdk::SessionManager;
using sdk::StoredUser;

/// A call with the access token whose answer `read` makes a value of.
template <class T, class Read>
Pending<T> call_as_user(const sdk::UserCore& core, std::string method, std::string path, std::string body,
                        Read read) {
  const sdk::Answer<T> answer(core.sessions().callbacks());
  auto pending = answer.pending();
  core.sessions().call(core.record(), SessionManager::Bearer::access, std::move(method), std::move(path),
                       std::move(body), [answer, read = std::move(read)](Result<std::string> text) {
                         if (!text) {
                           answer.set(text.error());
                         } else {
                           answer.set(read(std::move(*text)));
                         }
                       });
  return pending;
}

Result<void> no_value(const std::string&) { return {}; }

SessionInfo to_info(const protocol::SessionMessage& message) {
  using std::chrono::floor, std::chrono::seconds;
  return {message.id,
          message.provider_type,
          message.device_id,
          json::write(json::Value(message.device)),
          floor<seconds>(message.created),
          floor<seconds>(message.last_used),
          message.current};
}

}  // namespace

std::string User::access_token() const {
  return core_->record()->cell.read(
      [](std::string_view token, const sdk::TokenState&) { return std::string(token); });
}

Pending<std::string> User::valid_access_token(std::chrono::seconds min_validity) const {
  return core_->sessions().valid_access_token(core_->record(), min_validity);
}

Pending<void> User::refresh_access_token() const { return core_->sessions().refresh(core_->record()); }
Pending<void> User::refresh_custom_user_data() const { return refresh_access_token(); }

std::string User::refresh_token() const {
  return core_->record()->look(
      [](const StoredUser& facts) { return std::string(facts.refresh_token.reveal()); });
}

bool User::is_bound_to_device() const { return sdk::is_bound_to_key(refresh_token()); }

Result<void> User::check_device_key() const { return core_->sessions().check_device_key(*core_->record()); }

std::string User::identifier() const { return core_->record()->id; }
UserState User::state() const { return core_->record()->state; }

std::vector<UserIdentity> User::identities() const {
  const auto list =
      json::parse(core_->record()->look([](const StoredUser& facts) { return facts.identities_json; }));
  std::vector<UserIdentity> out;
  if (!list || list->as_array() == nullptr) return out;
  for (const json::Value& identity : *list->as_array())
    out.push_back({std::string(identity.string_at("id").value_or("")),
                   std::string(identity.string_at("provider_type").value_or(""))});
  return out;
}

std::string User::profile() const {
  return core_->record()->look([](const StoredUser& facts) { return facts.profile_json; });
}

std::string User::custom_data() const { return sdk::read_claims(access_token()).custom_data; }

std::string User::device_id() const {
  return core_->record()->look([](const StoredUser& facts) { return facts.device_id; });
}

EndReason User::end_reason() const {
  return core_->record()->look(
      [](const StoredUser& facts) { return facts.logged_in ? EndReason::none : facts.end_reason; });
}

RefreshCircuit User::refresh_circuit() const { return core_->sessions().circuit_of(*core_->record()); }

Pending<void> User::link(Credentials credentials) const {
  const auto kept = std::make_shared<const Credentials>(std::move(credentials));
  return core_->sessions().link(core_->record(),
                                std::shared_ptr<const sdk::CredentialsData>(kept, &kept->data()));
}

Pending<void> User::refresh_profile() const { return core_->sessions().refresh_profile(core_->record()); }

Pending<std::vector<SessionInfo>> User::sessions() const {
  return call_as_user<std::vector<SessionInfo>>(
      *core_, "GET", std::string(protocol::kSessionsPath), {},
      [](const std::string& text) -> Result<std::vector<SessionInfo>> {
        auto messages = protocol::parse_sessions(text);
        if (!messages) return messages.error();
        std::vector<SessionInfo> out;
        for (const auto& message : *messages) out.push_back(to_info(message));
        return out;
      });
}

Pending<void> User::revoke_session(std::string session_id) const {
  return call_as_user<void>(*core_, "DELETE", protocol::session_path(session_id), {}, no_value);
}

Pending<void> User::revoke_other_sessions() const {
  return call_as_user<void>(*core_, "DELETE", protocol::other_sessions_path(), {}, no_value);
}

Pending<std::string> User::call_function_text(std::string name, std::string ejson_arguments) const {
  const auto arguments =
      json::parse(ejson_arguments, {std::size_t{18} * 1024 * 1024, 100, json::DuplicateNames::last_wins});
  if (!arguments || arguments->as_array() == nullptr)
    return Error(ErrorCode::InvalidParameter, "the arguments are not an EJSON array");
  return call_as_user<std::string>(*core_, "POST",
                                   protocol::functions_call_path(core_->sessions().settings().app_id),
                                   protocol::write_function_call(name, ejson_arguments),
                                   [](std::string text) -> Result<std::string> { return text; });
}

Pending<HttpResponse> User::request(HttpRequest request) const {
  return core_->sessions().request(core_->record(), std::move(request));
}

Pending<void> User::log_out() const { return core_->sessions().log_out(core_->record()); }

Subscription User::subscribe(UserObserver observer) const {
  return core_->sessions().subscribe(std::move(observer), core_->record()->id);
}

}  // namespace keyturn
