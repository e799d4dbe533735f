// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

#include <cstdio>

namespace keyturn::server::conformance {

std::string id(char kind, int number) {
  char text[32];
  std::snprintf(text, sizeof text, "%c%023d", kind, number);
  return text;
}

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'700'000'000 + seconds)); }

Identity identity(const std::string& type, const std::string& identity_id) {
  Identity out;
  out.id = identity_id;
  out.provider_type = type;
  out.provider_id = id('f', 1);
  out.data.set("name", identity_id);
  return out;
}

User user(int number, const std::string& identity_type) {
  User out;
  out.id = id('b', number);
  out.app_id = kApp;
  out.identities.push_back(identity(identity_type, id('c', number)));
  out.created = at(number);
  out.last_authentication = at(number);
  return out;
}

Session session(int number, const User& owner, int created_second) {
  Session out;
  out.id = id('d', number);
  out.app_id = owner.app_id;
  out.user_id = owner.id;
  out.device_id = id('e', number);
  out.device.set("platform", "linux");
  if (!owner.identities.empty()) {
    out.identity_id = owner.identities.front().id;
    out.provider_type = owner.identities.front().provider_type;
    out.provider_id = owner.identities.front().provider_id;
  }
  out.created = at(created_second);
  out.last_used = at(created_second);
  out.refresh_expires = at(created_second + 1'000'000);
  return out;
}

PasswordAccount account(int number, const std::string& email) {
  PasswordAccount out;
  out.id = id('c', number);
  out.app_id = kApp;
  out.email = email;
  out.password_hash = "hash-" + std::to_string(number);
  out.created = at(number);
  return out;
}

EmailToken email_token(int number, const PasswordAccount& account, EmailTokenPurpose purpose,
                       int expires_second) {
  return {id('7', number),   account.app_id, account.id, purpose, "token-hash-" + std::to_string(number),
          at(expires_second)};
}

ApiKey api_key(int number, const std::string& user_id, const std::string& name) {
  return {id('8', number), kApp, user_id, name, "key-hash-" + std::to_string(number), false};
}

void in_parallel(int threads, const std::function<void(int)>& work) {
  std::atomic<bool> go{false};
  std::vector<std::thread> running;
  running.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      go.wait(false);
      work(i);
    });
  }
  go = true;
  go.notify_all();
  for (std::thread& each : running) each.join();
}

User StoreConformance::add_user(int number) {
  User out = user(number);
  const auto outcome = users().create(out);
  EXPECT_TRUE(outcome && *outcome == CreateUserOutcome::created);
  return out;
}

Session StoreConformance::open_session(int number, const User& owner, int created_second) {
  Session out = session(number, owner, created_second);
  const auto outcome = sessions().open(out, stored(owner).generation);
  EXPECT_TRUE(outcome && *outcome == OpenOutcome::opened);
  return out;
}

SessionState StoreConformance::state(const Session& session) {
  const auto found = sessions().find(session.id);
  EXPECT_TRUE(found && found->has_value());
  return found && *found ? **found : SessionState();
}

User StoreConformance::stored(const User& user) {
  const auto found = users().find(user.app_id, user.id);
  EXPECT_TRUE(found && found->has_value());
  return found && *found ? **found : User();
}

}  // namespace keyturn::server::conformance
