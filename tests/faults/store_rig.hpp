// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

namespace keyturn::faults {

namespace fs = std::filesystem;

/// `KEYTURN_FAULTS=full`: the sizes of the acceptance table instead of those of every day.
inline bool full_size() {
  const char* const said = std::getenv("KEYTURN_FAULTS");
  return said != nullptr && std::string(said) == "full";
}
/// Printed by whoever uses it; `KEYTURN_SEED` replays.
inline std::uint32_t seed() {
  const char* const said = std::getenv("KEYTURN_SEED");
  return said != nullptr ? static_cast<std::uint32_t>(std::strtoul(said, nullptr, 10)) : 20'261'123U;
}

/// A folder in memory, gone at the end.
class Scratch {
 public:
  Scratch() {
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { fs::remove_all(path_); }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  const fs::path path_ = fs::path(fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
                         ("keyturn-faults-" + crypto::hex_encode(crypto::random_bytes(8)));
};

inline Result<std::unique_ptr<sdk::TokenStore>> open_store(const fs::path& folder) {
  static const auto keys =
      std::shared_ptr<sdk::KeySource>(sdk::app_supplied_key(Secret(std::string(64, 'k'))));
  const std::chrono::milliseconds wait(500);
  return sdk::open_sqlite_token_store({folder, "app", "https://server.test", keys, wait, {}, wait});
}

inline sdk::StoredUser ada(const std::string& token) {
  sdk::StoredUser user;
  user.user_id = "ada";
  user.logged_in = true;
  user.access_token = Secret(token);
  user.refresh_token = Secret("refresh of " + token.substr(0, token.find('.')));
  user.profile_json = R"({"email":"ada@example.com"})";
  return user;
}

/// What a store knows of ada, in one word: "none", "out", or her access token; an error's name in brackets.
inline std::string told_by(sdk::TokenStore& store) {
  const auto user = store.load_user("ada");
  if (!user) return "[" + std::string(to_string(user.error().code)) + "]";
  if (!*user) return "none";
  return (*user)->logged_in ? std::string((*user)->access_token.reveal()) : "out";
}
inline std::string told_by(const fs::path& folder) {
  const auto store = open_store(folder);
  if (!store) return "[" + std::string(to_string(store.error().code)) + "]";
  return told_by(**store);
}

/// The life of a session, step by step. The word after each step is what a store must tell then.
inline constexpr const char* kLife[] = {"none", "a.1", "a.2", "a.3", "out", "out", "b.1", "b.2"};
inline constexpr int kLifeSteps = 8;
/// Does the step that leads to `kLife[step]`; step 0 opens the store.
inline Result<void> live(std::unique_ptr<sdk::TokenStore>& store, const fs::path& folder, int step) {
  const auto done = [](const auto& result) { return result ? Result<void>() : Result<void>(result.error()); };
  const auto refresh = [&](const std::string& token) -> Result<void> {
    auto user = store->load_user("ada");
    if (!user) return user.error();
    if (!*user) return Error(ErrorCode::ClientUserNotFound, "ada is not there");
    (*user)->access_token = Secret(token);
    return done(store->replace(**user));
  };
  switch (step) {
    case 0: {
      auto opened = open_store(folder);
      if (!opened) return opened.error();
      store = std::move(*opened);
      return {};
    }
    case 1:
    case 6:
      return done(store->put(ada(kLife[step]), true));
    case 4:
      return done(store->clear_tokens("ada", EndReason::logged_out, true, std::nullopt));
    case 5: {
      const auto waiting = store->outbox();
      if (!waiting) return waiting.error();
      return waiting->empty() ? Result<void>() : store->delivered(waiting->front().id);
    }
    default:
      return refresh(kLife[step]);
  }
}

}  // namespace keyturn::faults
