// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <keyturn/app.hpp>

int main() {
  // On a desktop leave `store` out: the key that seals the sessions is then kept in the Secret Service.
  keyturn::App app({.app_id = "myapp-abcde",
                    .base_url = "http://127.0.0.1:9090",
                    .store = keyturn::TokenStoreConfiguration::in_directory(
                        "myapp-sessions", keyturn::TokenStoreKey::in_file("myapp-key/store.key"))});

  auto user = app.get_current_user();  // still there after a restart, no network needed
  if (!user || !user->is_logged_in()) {
    user = app.login(keyturn::App::credentials::username_password("ada@example.com", "correct horse")).get();
  }
  const auto watch = user->subscribe([](const keyturn::UserEvent& event) {
    if (event.kind == keyturn::UserEvent::Kind::session_ended) std::cerr << "please log in again\n";
  });

  // A token for a request made outside the SDK, refreshed first when it has less than a minute to live.
  std::string token = user->valid_access_token(std::chrono::seconds{60}).get();

  // A request of the SDK itself: it carries the token, and refreshes it when needed.
  const auto answer = user->request({.method = "GET", .url = "/api/client/v2.0/auth/profile"}).get();
  std::cout << answer.status << ' ' << answer.body << '\n';

  // So do a call of a function and what is done with documents.
  const keyturn::Ejson sum = user->call_function("sum", {1, 2}).get();
  std::cout << "sum: " << sum.to_int64().value_or(0) << '\n';
  const auto dogs = user->mongo_client("mongodb-atlas").database("shop").collection("dogs");
  dogs.insert_one({{"owner_id", user->identifier()}, {"name", "Bello"}}).get();
  user->log_out().get();
}
