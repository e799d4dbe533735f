// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <keyturn/testing.hpp>

namespace keyturn::testing {

/// A small Keyturn server in memory: the routes of client-api.md rows 1, 2, 5, 12, 13, 14 and 15, for tests
/// of apps. Thread safety: all members.
class Model {
 public:
  ScriptedResponse answer(const RecordedRequest& request);

  void add_user(std::string email, std::string password);
  void set_access_token_lifetime(std::chrono::seconds lifetime);
  void revoke(std::string_view user_id);
  [[nodiscard]] int refresh_count() const;

 private:
  struct Session {
    std::string user_id;
    std::string reason;  ///< Empty while it lives.
  };
  struct Account {
    std::string password;
    std::string user_id;
  };

  ScriptedResponse log_in(const RecordedRequest& request, std::string_view provider);
  ScriptedResponse register_user(const RecordedRequest& request);
  ScriptedResponse session(const RecordedRequest& request);
  ScriptedResponse profile(const RecordedRequest& request);
  ScriptedResponse remove(const RecordedRequest& request);
  std::string token(std::string_view type, std::string_view session_id, std::chrono::seconds lifetime);
  std::string next_id();
  Session* session_of(const RecordedRequest& request, std::string_view type);
  [[nodiscard]] std::string email_of(std::string_view user_id) const;

  mutable std::mutex mutex_;
  std::chrono::seconds access_lifetime_{1'800};
  std::map<std::string, Account, std::less<>> accounts_;
  std::map<std::string, Session, std::less<>> sessions_;
  int refreshes_ = 0;
  int issued_ = 0;
};

}  // namespace keyturn::testing
