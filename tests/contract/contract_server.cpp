// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/contract_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <utility>

#include "server/domain/apps/app_packages.hpp"
#include "server/domain/apps/logged_functions.hpp"
#include "server/identity/anonymous/anonymous_provider.hpp"
#include "server/identity/api_key/api_key_provider.hpp"
#include "server/identity/custom_function/function_provider.hpp"
#include "server/identity/external_jwt/jwt_provider.hpp"
#include "server/identity/password/password_provider.hpp"
#include "server/storage/memory/memory_signing_keys.hpp"
#include "server/storage/memory/memory_stores.hpp"
#include "tests/contract/scripted_functions.hpp"

namespace keyturn::contract {
namespace {

constexpr crypto::PasswordCost kCheap{std::size_t{64} * 1024, 1};

class Mailbox final : public server::EmailSender {
 public:
  Result<void> send(const server::EmailMessage& message) override {
    const std::scoped_lock lock(mutex_);
    messages_.push_back(message);
    return {};
  }
  [[nodiscard]] server::EmailMessage latest_to(const std::string& address) const {
    const std::scoped_lock lock(mutex_);
    for (auto each = messages_.rbegin(); each != messages_.rend(); ++each) {
      if (each->to == address) return *each;
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<server::EmailMessage> messages_;
};

class NoFetcher final : public server::JwksFetcher {
 public:
  Result<std::string> fetch(const std::string& /*url*/) override {
    return Error(ErrorCode::ServiceUnavailable, "no network in this test");
  }
};

/// A session store that can be broken. Its faults speak of a disk, which no client may hear of.
class BreakableSessions final : public server::SessionStore {
 public:
  explicit BreakableSessions(server::SessionStore& next) : next_(next) {}
  void break_now() { broken_ = true; }

  Result<server::OpenOutcome> open(const server::Session& session, std::int64_t generation) override {
    if (broken_) return fault();
    return next_.open(session, generation);
  }
  Result<std::optional<server::SessionState>> find(std::string_view id) override {
    if (broken_) return fault();
    return next_.find(id);
  }
  Result<server::EndOutcome> end(std::string_view app, std::string_view user, std::string_view id,
                                 EndReason reason, WallTime now) override {
    if (broken_) return fault();
    return next_.end(app, user, id, reason, now);
  }
  Result<int> end_all(std::string_view app, std::string_view user, std::string_view except, EndReason reason,
                      WallTime now) override {
    if (broken_) return fault();
    return next_.end_all(app, user, except, reason, now);
  }
  Result<std::vector<server::Session>> list(std::string_view app, std::string_view user) override {
    if (broken_) return fault();
    return next_.list(app, user);
  }
  Result<std::vector<server::Device>> devices(std::string_view app, std::string_view user) override {
    if (broken_) return fault();
    return next_.devices(app, user);
  }
  Result<void> touch(const std::vector<std::pair<std::string, WallTime>>& used) override {
    return next_.touch(used);
  }
  Result<int> purge(WallTime before, int limit) override { return next_.purge(before, limit); }

 private:
  static Error fault() { return {ErrorCode::StoreUnavailable, "disk I/O error: SELECT * FROM sessions"}; }
  server::SessionStore& next_;
  std::atomic<bool> broken_{false};
};

/// Whoever is called so has packages.
class ScriptedPackages final : public server::AppPackages {
 public:
  [[nodiscard]] std::optional<server::InstalledPackages> installed(const server::App& app) const override {
    if (app.name != "with-packages") return std::nullopt;
    return server::InstalledPackages{WallTime(std::chrono::seconds(1'700'000'000)),
                                     {{"@scope/tool", ""}, {"left-pad", "1.3.0"}}};
  }
};

}  // namespace

struct ContractServer::Parts {
  explicit Parts(Clock& clock)
      : broken(stores.sessions()),
        directory(stores.apps(), keys),
        password(stores.passwords(), kCheap),
        api_key(stores.api_keys()),
        external_jwt(stores.apps(), fetcher, clock),
        scripted(stores.apps()),
        functions(&scripted, log, clock),
        function(&functions, stores.apps()),
        user_data(data, log, clock),
        sessions(directory, broken, stores.users(), clock,
                 {&anonymous, &password, &api_key, &external_jwt, &function}, &functions, &user_data),
        users(stores.users(), clock),
        passwords(stores.passwords(), stores.users(), stores.apps(), mailbox, &functions, clock, kCheap),
        api_keys(stores.api_keys(), stores.users(), clock),
        apps(directory, stores.apps(), clock, server::LifetimeLimits{}),
        api({directory, apps, sessions, users, passwords, api_keys, broken, clock, &functions, &data, &log,
             nullptr, &packages},
            options()) {}

  server::ApiOptions options() {
    server::ApiOptions out;
    out.is_own_origin = [](std::string_view origin) { return origin == "http://localhost"; };
    out.on_access = [this](const server::AccessRecord& r) {
      std::string all;
      for (const std::string_view part :
           {r.request_id, r.method, r.path, r.app_id, r.error_code, r.reason, r.detail}) {
        all.append(part).append(" ");
      }
      const std::scoped_lock lock(mutex);
      records.push_back({r.status, std::string(r.path), std::string(r.detail), std::move(all)});
    };
    return out;
  }

  server::memory::MemoryStores stores;
  server::memory::MemorySigningKeys keys;
  BreakableSessions broken;
  Mailbox mailbox;
  NoFetcher fetcher;
  server::AppDirectory directory;
  server::identity::AnonymousProvider anonymous;
  server::identity::PasswordProvider password;
  server::identity::ApiKeyProvider api_key;
  server::identity::JwtProvider external_jwt;
  server::AppLog log;
  ScriptedPackages packages;
  ScriptedFunctions scripted;
  server::LoggedFunctions functions;
  server::identity::FunctionProvider function;
  ScriptedData data;
  server::UserDataClaims user_data;
  server::SessionService sessions;
  server::UserService users;
  server::PasswordService passwords;
  server::ApiKeyService api_keys;
  server::AppService apps;
  std::mutex mutex;
  std::vector<Record> records;
  server::Api api;
};

ContractServer::ContractServer() : parts_(std::make_unique<Parts>(clock_)) {
  EXPECT_TRUE(parts_->directory.load());
  EXPECT_TRUE(parts_->apps.ensure_admin_realm());
  EXPECT_TRUE(
      parts_->passwords.create_confirmed(*parts_->directory.admin_realm(), admin_email_, admin_password_));
}

ContractServer::~ContractServer() = default;

HttpResponse ContractServer::ask(const HttpRequest& request) { return parts_->api.answer(request); }

ScriptedData& ContractServer::data() { return parts_->data; }

server::Api& ContractServer::api() { return parts_->api; }

server::EmailMessage ContractServer::mail_to(const std::string& address) const {
  return parts_->mailbox.latest_to(address);
}

void ContractServer::break_store() { parts_->broken.break_now(); }

std::vector<ContractServer::Record> ContractServer::records() const {
  const std::scoped_lock lock(parts_->mutex);
  return parts_->records;
}

}  // namespace keyturn::contract
