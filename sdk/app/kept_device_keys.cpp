// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/kept_device_keys.hpp"

#include <algorithm>
#include <utility>

#include "core/jwt/possession_proof.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

Error unavailable(const char* why) { return {ErrorCode::DeviceKeyUnavailable, why}; }

/// What became of the key for good is not the store's trouble.
Error as_device_key_error(Error error) {
  return error.code == ErrorCode::StoreCorrupt ? unavailable(error.message.c_str()) : std::move(error);
}

}  // namespace

std::optional<jwt::Key> KeptDeviceKeys::held() const {
  const std::scoped_lock lock(mutex_);
  return key_;
}

jwt::Key KeptDeviceKeys::hold(jwt::Key key) {
  const std::scoped_lock lock(mutex_);
  key_ = key;
  return key;
}

Result<std::optional<jwt::Key>> KeptDeviceKeys::read() const {
  if (!file_) return held();
  auto text = file_->find();
  if (!text) return as_device_key_error(text.error());
  if (!*text) return std::optional<jwt::Key>();
  auto key = jwt::Key::guarded_es256_from_pem((*text)->reveal());
  if (!key) return unavailable("the device key is no key");
  return std::optional(std::move(*key));
}

Result<jwt::Key> KeptDeviceKeys::find(std::string_view thumbprint) {
  if (auto key = held(); key && jwt::thumbprint_of(*key) == thumbprint) return std::move(*key);
  auto key = read();
  if (!key) return key.error();
  if (!*key) return unavailable("the device key, which the session is bound to, is missing");
  if (jwt::thumbprint_of(**key) != thumbprint)
    return unavailable("the session is bound to another key than the one that this device has");
  return hold(std::move(**key));
}

Result<bool> KeptDeviceKeys::is_missed() const {
  const auto users = store_->load();
  if (!users) return users.error();
  return std::any_of(users->begin(), users->end(), [](const StoredUser& user) {
    return user.logged_in && is_bound_to_key(user.refresh_token.reveal());
  });
}

Result<jwt::Key> KeptDeviceKeys::find_or_make() {
  auto found = read();
  if (!found) return found.error();
  if (*found) return hold(std::move(**found));
  // A key that has gone may come back with a backup. Another one in its place would then be lost, or keep it
  // out: first the sessions that miss it have to end.
  const auto kept = held();
  if (!kept) {
    const auto missed = is_missed();
    if (!missed) return missed.error();
    if (*missed)
      return unavailable(
          "the device key is missing, and a session of this device is bound to it: restore the key, or log "
          "that session out first");
  }
  const jwt::Key made = kept ? *kept : jwt::Key::generate_guarded_es256();
  if (!file_) return hold(made);
  const auto text = file_->find_or_make([&made] { return made.private_pem(); });
  if (!text) return as_device_key_error(text.error());
  auto key = jwt::Key::guarded_es256_from_pem(text->reveal());
  if (!key) return unavailable("the device key is no key");
  return hold(std::move(*key));
}

}  // namespace keyturn::sdk
