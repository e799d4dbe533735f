// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/sessions/session_store.hpp"

// The suites in this folder define what the store ports mean. A backend compiles them into its test and adds
//   INSTANTIATE_STORE_CONFORMANCE(Sqlite, make_fixture);
namespace keyturn::server::conformance {

/// The five stores of one backend over one backing, empty at first.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual SessionStore& sessions() = 0;
  virtual UserStore& users() = 0;
  virtual PasswordStore& passwords() = 0;
  virtual ApiKeyStore& api_keys() = 0;
  virtual AppStore& apps() = 0;
};

using StoreFactory = std::unique_ptr<StoreFixture> (*)();

/// Makes a fixture of any class that has the five stores as members of these names.
template <class Stores>
class FixtureOf : public StoreFixture {
 public:
  explicit FixtureOf(std::unique_ptr<Stores> stores) : stores_(std::move(stores)) {}
  SessionStore& sessions() override { return stores_->sessions(); }
  UserStore& users() override { return stores_->users(); }
  PasswordStore& passwords() override { return stores_->passwords(); }
  ApiKeyStore& api_keys() override { return stores_->api_keys(); }
  AppStore& apps() override { return stores_->apps(); }

 private:
  std::unique_ptr<Stores> stores_;
};

/// The 24 digits of an ObjectId that names thing `number` of a kind.
std::string id(char kind, int number);
inline const std::string kApp = id('a', 1);
inline const std::string kOtherApp = id('a', 2);

/// Second `seconds` of the test's time.
WallTime at(int seconds);

Identity identity(const std::string& type, const std::string& identity_id);
/// A user with one identity of that type, whose id is derived from the number.
User user(int number, const std::string& identity_type = "custom-token");
Session session(int number, const User& owner, int created_second = 100);
PasswordAccount account(int number, const std::string& email);
EmailToken email_token(int number, const PasswordAccount& account, EmailTokenPurpose purpose,
                       int expires_second = 1'000);
ApiKey api_key(int number, const std::string& user_id, const std::string& name);

/// Runs `work(thread number)` on that many threads, all let go at once, and waits for them.
void in_parallel(int threads, const std::function<void(int)>& work);

class StoreConformance : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    fixture_ = GetParam()();
    ASSERT_NE(fixture_, nullptr);
  }

  SessionStore& sessions() { return fixture_->sessions(); }
  UserStore& users() { return fixture_->users(); }
  PasswordStore& passwords() { return fixture_->passwords(); }
  ApiKeyStore& api_keys() { return fixture_->api_keys(); }
  AppStore& apps() { return fixture_->apps(); }

  /// Stores a user with a custom-token identity.
  User add_user(int number);
  /// Opens a session that must open.
  Session open_session(int number, const User& owner, int created_second = 100);
  /// The state of a session that must be known.
  SessionState state(const Session& session);
  /// The stored user, who must be there.
  User stored(const User& user);

  std::unique_ptr<StoreFixture> fixture_;
};

class SessionStoreConformance : public StoreConformance {};
class UserStoreConformance : public StoreConformance {};
class PasswordStoreConformance : public StoreConformance {};
class ApiKeyStoreConformance : public StoreConformance {};
class AppStoreConformance : public StoreConformance {};
class StoreContention : public StoreConformance {};

}  // namespace keyturn::server::conformance

/// The one line of a backend.
#define INSTANTIATE_STORE_CONFORMANCE(Backend, factory)                                                  \
  namespace keyturn::server::conformance {                                                               \
  INSTANTIATE_TEST_SUITE_P(Backend, SessionStoreConformance, ::testing::Values(StoreFactory(factory)));  \
  INSTANTIATE_TEST_SUITE_P(Backend, UserStoreConformance, ::testing::Values(StoreFactory(factory)));     \
  INSTANTIATE_TEST_SUITE_P(Backend, PasswordStoreConformance, ::testing::Values(StoreFactory(factory))); \
  INSTANTIATE_TEST_SUITE_P(Backend, ApiKeyStoreConformance, ::testing::Values(StoreFactory(factory)));   \
  INSTANTIATE_TEST_SUITE_P(Backend, AppStoreConformance, ::testing::Values(StoreFactory(factory)));      \
  INSTANTIATE_TEST_SUITE_P(Backend, StoreContention, ::testing::Values(StoreFactory(factory)));          \
  }                                                                                                      \
  static_assert(true, "")
