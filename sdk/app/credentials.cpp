// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include <keyturn/credentials.hpp>

#include "core/base/guarded_memory.hpp"
#include "sdk/app/secret_object.hpp"
#include "sdk/session/credentials_data.hpp"

namespace keyturn {
namespace {

std::shared_ptr<const sdk::CredentialsData> make(const char* provider, sdk::SecretMembers members) {
  std::string payload = sdk::take_into_object(members);
  auto data = std::make_shared<sdk::CredentialsData>();
  data->provider = provider;
  data->payload = Secret(payload);
  data->well_formed = true;
  wipe_memory(payload.data(), payload.size());
  wipe_traces();
  return data;
}

}  // namespace

Credentials Credentials::anonymous(bool reuse_existing) {
  auto data = std::make_shared<sdk::CredentialsData>();
  data->provider = "anon-user";
  data->payload = Secret("{}");
  data->reuse_existing = reuse_existing;
  return Credentials(std::move(data));
}

Credentials Credentials::username_password(std::string username, std::string password) {
  return Credentials(make("local-userpass", {{"username", &username}, {"password", &password}}));
}

Credentials Credentials::api_key(std::string key) { return Credentials(make("api-key", {{"key", &key}})); }

Credentials Credentials::custom(std::string jwt) {
  return Credentials(make("custom-token", {{"token", &jwt}}));
}

Credentials Credentials::function(std::string ejson_payload) {
  auto data = std::make_shared<sdk::CredentialsData>();
  data->provider = "custom-function";
  data->payload = Secret(ejson_payload);
  wipe_memory(ejson_payload.data(), ejson_payload.size());
  return Credentials(std::move(data));
}

Credentials Credentials::google_id_token(std::string id_token) {
  return Credentials(make("oauth2-google", {{"id_token", &id_token}}));
}

Credentials Credentials::google_auth_code(std::string auth_code) {
  return Credentials(make("oauth2-google", {{"authCode", &auth_code}}));
}

Credentials Credentials::apple(std::string id_token) {
  return Credentials(make("oauth2-apple", {{"id_token", &id_token}}));
}

Credentials Credentials::facebook(std::string access_token) {
  return Credentials(make("oauth2-facebook", {{"accessToken", &access_token}}));
}

const std::string& Credentials::provider() const noexcept { return data_->provider; }

}  // namespace keyturn
