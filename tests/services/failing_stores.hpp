// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server::testing {

/// Lets the n-th call of all wrapped stores fail: before it is done, or after it was done and only its answer
/// is lost.
class FaultPlan {
 public:
  enum class Mode { not_done, done_but_lost };

  void fail_call(int number, Mode mode) {
    calls_ = 0;
    fail_at_ = number;
    mode_ = mode;
  }
  void stop() { fail_at_ = 0; }
  [[nodiscard]] int calls() const { return calls_; }
  void count_from_zero() { calls_ = 0; }

  template <class Call>
  auto run(const Call& call) -> decltype(call()) {
    const bool fails = ++calls_ == fail_at_;
    const Error fault(ErrorCode::ServiceUnavailable, "the disk is on fire");
    if (fails && mode_ == Mode::not_done) return fault;
    auto answer = call();
    if (fails) return fault;
    return answer;
  }

 private:
  std::atomic<int> calls_ = 0;
  std::atomic<int> fail_at_ = 0;
  Mode mode_ = Mode::not_done;
};

class FailingSessionStore final : public SessionStore {
 public:
  FailingSessionStore(SessionStore& store, FaultPlan& plan) : store_(store), plan_(plan) {}
  /// Called before each `open`, to let something happen in between.
  std::function<void()> before_open;

  Result<OpenOutcome> open(const Session& s, std::int64_t g) override {
    if (before_open) std::exchange(before_open, nullptr)();
    return plan_.run([&] { return store_.open(s, g); });
  }
  Result<std::optional<SessionState>> find(std::string_view id) override {
    return plan_.run([&] { return store_.find(id); });
  }
  Result<EndOutcome> end(std::string_view a, std::string_view u, std::string_view s, EndReason r,
                         WallTime n) override {
    return plan_.run([&] { return store_.end(a, u, s, r, n); });
  }
  Result<int> end_all(std::string_view a, std::string_view u, std::string_view e, EndReason r,
                      WallTime n) override {
    return plan_.run([&] { return store_.end_all(a, u, e, r, n); });
  }
  Result<std::vector<Session>> list(std::string_view a, std::string_view u) override {
    return plan_.run([&] { return store_.list(a, u); });
  }
  Result<std::vector<Device>> devices(std::string_view a, std::string_view u) override {
    return plan_.run([&] { return store_.devices(a, u); });
  }
  Result<void> touch(const std::vector<std::pair<std::string, WallTime>>& t) override {
    ++touches;
    return plan_.run([&] { return store_.touch(t); });
  }
  Result<int> purge(WallTime b, int l) override {
    return plan_.run([&] { return store_.purge(b, l); });
  }
  int touches = 0;

 private:
  SessionStore& store_;
  FaultPlan& plan_;
};

class FailingUserStore final : public UserStore {
 public:
  FailingUserStore(UserStore& store, FaultPlan& plan) : store_(store), plan_(plan) {}
  Result<CreateUserOutcome> create(const User& u) override {
    return plan_.run([&] { return store_.create(u); });
  }
  Result<std::optional<User>> find(std::string_view a, std::string_view u) override {
    return plan_.run([&] { return store_.find(a, u); });
  }
  Result<std::optional<User>> find_by_identity(std::string_view a, std::string_view t,
                                               std::string_view i) override {
    return plan_.run([&] { return store_.find_by_identity(a, t, i); });
  }
  Result<std::vector<User>> list(std::string_view a, const PageRequest& p) override {
    return plan_.run([&] { return store_.list(a, p); });
  }
  Result<LinkOutcome> link(std::string_view a, std::string_view u, const Identity& i) override {
    return plan_.run([&] { return store_.link(a, u, i); });
  }
  Result<void> update_identity_data(std::string_view a, std::string_view t, std::string_view i,
                                    const json::Object& d) override {
    return plan_.run([&] { return store_.update_identity_data(a, t, i, d); });
  }
  Result<bool> set_disabled(std::string_view a, std::string_view u, bool d, WallTime n) override {
    return plan_.run([&] { return store_.set_disabled(a, u, d, n); });
  }
  Result<bool> remove(std::string_view a, std::string_view u, WallTime n) override {
    return plan_.run([&] { return store_.remove(a, u, n); });
  }
  Result<std::vector<std::string>> idle_anonymous(std::string_view a, WallTime b, int l) override {
    return plan_.run([&] { return store_.idle_anonymous(a, b, l); });
  }

 private:
  UserStore& store_;
  FaultPlan& plan_;
};

class FailingPasswordStore final : public PasswordStore {
 public:
  FailingPasswordStore(PasswordStore& store, FaultPlan& plan) : store_(store), plan_(plan) {}
  Result<RegisterOutcome> register_account(const PasswordAccount& p) override {
    return plan_.run([&] { return store_.register_account(p); });
  }
  Result<std::optional<PasswordAccount>> find(std::string_view a, std::string_view e) override {
    return plan_.run([&] { return store_.find(a, e); });
  }
  Result<std::optional<PasswordAccount>> find_by_id(std::string_view a, std::string_view i) override {
    return plan_.run([&] { return store_.find_by_id(a, i); });
  }
  Result<std::vector<PasswordAccount>> pending(std::string_view a, const PageRequest& p) override {
    return plan_.run([&] { return store_.pending(a, p); });
  }
  Result<bool> remove(std::string_view a, std::string_view e) override {
    return plan_.run([&] { return store_.remove(a, e); });
  }
  Result<bool> confirm(std::string_view a, std::string_view i) override {
    return plan_.run([&] { return store_.confirm(a, i); });
  }
  Result<bool> change_email(std::string_view a, std::string_view u, std::string_view e) override {
    return plan_.run([&] { return store_.change_email(a, u, e); });
  }
  Result<bool> set_pending_password(std::string_view a, std::string_view i, std::string_view h) override {
    return plan_.run([&] { return store_.set_pending_password(a, i, h); });
  }
  Result<bool> rehash(std::string_view a, std::string_view i, std::string_view o,
                      std::string_view n) override {
    return plan_.run([&] { return store_.rehash(a, i, o, n); });
  }
  Result<bool> set_password(std::string_view a, std::string_view i, std::string_view h, bool end,
                            std::string_view e, WallTime n) override {
    return plan_.run([&] { return store_.set_password(a, i, h, end, e, n); });
  }
  Result<void> add_token(const EmailToken& t) override {
    return plan_.run([&] { return store_.add_token(t); });
  }
  Result<std::optional<PasswordAccount>> find_by_token(std::string_view a, std::string_view i,
                                                       EmailTokenPurpose p) override {
    return plan_.run([&] { return store_.find_by_token(a, i, p); });
  }
  Result<TokenOutcome> confirm_with_token(std::string_view a, std::string_view i, std::string_view h,
                                          WallTime n) override {
    return plan_.run([&] { return store_.confirm_with_token(a, i, h, n); });
  }
  Result<TokenOutcome> reset_with_token(std::string_view a, std::string_view i, std::string_view h,
                                        std::string_view p, bool end, WallTime n) override {
    return plan_.run([&] { return store_.reset_with_token(a, i, h, p, end, n); });
  }

 private:
  PasswordStore& store_;
  FaultPlan& plan_;
};

class FailingApiKeyStore final : public ApiKeyStore {
 public:
  FailingApiKeyStore(ApiKeyStore& store, FaultPlan& plan) : store_(store), plan_(plan) {}
  Result<CreateKeyOutcome> create(const ApiKey& k) override {
    return plan_.run([&] { return store_.create(k); });
  }
  Result<std::vector<ApiKey>> list(std::string_view a, std::string_view u) override {
    return plan_.run([&] { return store_.list(a, u); });
  }
  Result<std::optional<ApiKey>> find(std::string_view a, std::string_view u, std::string_view k) override {
    return plan_.run([&] { return store_.find(a, u, k); });
  }
  Result<std::optional<ApiKey>> find_by_hash(std::string_view a, std::string_view h) override {
    return plan_.run([&] { return store_.find_by_hash(a, h); });
  }
  Result<bool> set_disabled(std::string_view a, std::string_view u, std::string_view k, bool d,
                            WallTime n) override {
    return plan_.run([&] { return store_.set_disabled(a, u, k, d, n); });
  }
  Result<bool> remove(std::string_view a, std::string_view u, std::string_view k, WallTime n) override {
    return plan_.run([&] { return store_.remove(a, u, k, n); });
  }

 private:
  ApiKeyStore& store_;
  FaultPlan& plan_;
};

class FailingAppStore final : public AppStore {
 public:
  FailingAppStore(AppStore& store, FaultPlan& plan) : store_(store), plan_(plan) {}
  Result<std::vector<App>> all() override {
    return plan_.run([&] { return store_.all(); });
  }
  Result<void> put(const App& a, const std::vector<AuthProvider>& p) override {
    return plan_.run([&] { return store_.put(a, p); });
  }
  Result<bool> remove(std::string_view a) override {
    return plan_.run([&] { return store_.remove(a); });
  }
  Result<std::vector<AuthProvider>> providers(std::string_view a) override {
    return plan_.run([&] { return store_.providers(a); });
  }
  Result<void> put_provider(const AuthProvider& p) override {
    return plan_.run([&] { return store_.put_provider(p); });
  }
  Result<bool> remove_provider(std::string_view a, std::string_view p) override {
    return plan_.run([&] { return store_.remove_provider(a, p); });
  }
  Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view a) override {
    return plan_.run([&] { return store_.secrets(a); });
  }
  Result<void> put_secret(std::string_view a, std::string_view i, std::string_view n,
                          const Secret& v) override {
    return plan_.run([&] { return store_.put_secret(a, i, n, v); });
  }
  Result<bool> remove_secret(std::string_view a, std::string_view i) override {
    return plan_.run([&] { return store_.remove_secret(a, i); });
  }
  Result<std::optional<Secret>> secret_by_name(std::string_view a, std::string_view n) override {
    return plan_.run([&] { return store_.secret_by_name(a, n); });
  }
  Result<std::vector<ConfigDocument>> documents(std::string_view a, std::string_view k) override {
    return plan_.run([&] { return store_.documents(a, k); });
  }
  Result<std::optional<json::Value>> document(std::string_view a, std::string_view k,
                                              std::string_view i) override {
    return plan_.run([&] { return store_.document(a, k, i); });
  }
  Result<void> put_document(std::string_view a, std::string_view k, std::string_view i,
                            const json::Value& v) override {
    return plan_.run([&] { return store_.put_document(a, k, i, v); });
  }
  Result<bool> remove_document(std::string_view a, std::string_view k, std::string_view i) override {
    return plan_.run([&] { return store_.remove_document(a, k, i); });
  }

 private:
  AppStore& store_;
  FaultPlan& plan_;
};

}  // namespace keyturn::server::testing
