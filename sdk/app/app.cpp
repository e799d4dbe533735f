// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <keyturn/app.hpp>

#include "core/json/json.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/app/app_core.hpp"
#include "sdk/app/secret_object.hpp"

namespace keyturn {
namespace {

using sdk::SessionManager;
using Record = SessionManager::UserRef;

/// A call of `local-userpass` accounts: no user, no result.
Pending<void> password_call(sdk::AppCore& core, protocol::PasswordCall call, std::string body) {
  const sdk::Answer<void> answer(core.callbacks());
  auto pending = answer.pending();
  core.sessions().call(nullptr, SessionManager::Bearer::none, "POST",
                       protocol::password_path(core.app_id(), call), std::move(body),
                       [answer](Result<std::string> result) {
                         answer.set(result ? Result<void>() : Result<void>(result.error()));
                       });
  return pending;
}

std::shared_ptr<sdk::AppCore> open_or_throw(App::configuration config) {
  auto core = sdk::AppCore::open(std::move(config));
  if (!core) throw Error(core.error());
  return std::move(*core);
}

Error not_of_this_app() { return {ErrorCode::ClientUserNotFound, "The specified user was not found."}; }

}  // namespace

App::App(configuration config) : core_(open_or_throw(std::move(config))) {}
App::App(std::shared_ptr<sdk::AppCore> core) : core_(std::move(core)) {}

Result<App> App::open(configuration config) {
  auto core = sdk::AppCore::open(std::move(config));
  if (!core) return core.error();
  return App(std::move(*core));
}

App::App(App&&) noexcept = default;
App& App::operator=(App&& other) noexcept {
  if (this != &other) {
    if (core_) core_->close();
    core_ = std::move(other.core_);
  }
  return *this;
}
App::~App() {
  if (core_) core_->close();
}

const std::string& App::app_id() const { return core_->app_id(); }
const std::string& App::base_url() const { return core_->base_url(); }

Pending<User> App::login(Credentials proof) {
  const sdk::Answer<User> answer(core_->callbacks());
  auto pending = answer.pending();
  const auto kept = std::make_shared<const Credentials>(std::move(proof));
  // The core outlives everything that its loop runs.
  core_->sessions().log_in(std::shared_ptr<const sdk::CredentialsData>(kept, &kept->data()),
                           [answer, core = core_.get()](Result<Record> user) {
                             if (!user) {
                               answer.set(user.error());
                             } else {
                               answer.set(User(core->core_of(*user)));
                             }
                           });
  return pending;
}

std::optional<User> App::get_current_user() const {
  const Record record = core_->sessions().current();
  if (!record) return std::nullopt;
  return User(core_->core_of(record));
}

std::vector<User> App::all_users() const {
  std::vector<User> out;
  for (const Record& record : core_->sessions().all_users()) out.push_back(User(core_->core_of(record)));
  return out;
}

Result<void> App::switch_user(const User& user) {
  if (&user.core_->sessions() != &core_->sessions()) return not_of_this_app();
  return core_->sessions().switch_to(user.core_->record());
}

Pending<void> App::remove_user(const User& user) {
  if (&user.core_->sessions() != &core_->sessions()) return not_of_this_app();
  return core_->sessions().remove(user.core_->record());
}

Pending<void> App::delete_user(const User& user) {
  if (&user.core_->sessions() != &core_->sessions()) return not_of_this_app();
  return core_->sessions().delete_account(user.core_->record());
}

Pending<void> App::deliver_log_outs(std::chrono::milliseconds limit) {
  return core_->sessions().deliver_log_outs(limit);
}

Subscription App::subscribe(UserObserver observer) {
  return core_->sessions().subscribe(std::move(observer));
}

Pending<void> App::register_user(std::string email, std::string password) {
  return password_call(*core_, protocol::PasswordCall::register_account,
                       sdk::take_into_object({{"email", &email}, {"password", &password}}));
}

Pending<void> App::confirm_user(std::string token, std::string token_id) {
  return password_call(*core_, protocol::PasswordCall::confirm,
                       sdk::take_into_object({{"token", &token}, {"tokenId", &token_id}}));
}

Pending<void> App::resend_confirmation_email(std::string email) {
  return password_call(*core_, protocol::PasswordCall::confirm_send,
                       sdk::take_into_object({{"email", &email}}));
}

Pending<void> App::retry_custom_confirmation(std::string email) {
  return password_call(*core_, protocol::PasswordCall::confirm_call,
                       sdk::take_into_object({{"email", &email}}));
}

Pending<void> App::send_reset_password_email(std::string email) {
  return password_call(*core_, protocol::PasswordCall::reset_send,
                       sdk::take_into_object({{"email", &email}}));
}

Pending<void> App::reset_password(std::string password, std::string token, std::string token_id) {
  return password_call(
      *core_, protocol::PasswordCall::reset,
      sdk::take_into_object({{"password", &password}, {"token", &token}, {"tokenId", &token_id}}));
}

Pending<void> App::call_reset_password_function(std::string email, std::string password,
                                                std::string ejson_arguments) {
  auto arguments = json::parse(ejson_arguments, {std::size_t{64} * 1024, 100, json::DuplicateNames::refuse});
  if (!arguments || arguments->as_array() == nullptr)
    return Error(ErrorCode::InvalidParameter, "the arguments are not an EJSON array");
  return password_call(*core_, protocol::PasswordCall::reset_call,
                       sdk::take_into_object({{"email", &email}, {"password", &password}},
                                             R"("arguments":)" + json::write(*arguments)));
}

}  // namespace keyturn
