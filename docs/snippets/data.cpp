// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <keyturn/app.hpp>

int main() {
  keyturn::App app({.app_id = "myapp-abcde",
                    .base_url = "http://127.0.0.1:9090",
                    .store = keyturn::TokenStoreConfiguration::in_memory()});
  const keyturn::User user = app.login(keyturn::App::credentials::anonymous()).get();

  // A function of the app, with typed values there and back.
  const keyturn::Ejson sum = user.call_function("sum", {1, 2}).get();
  std::cout << "sum: " << sum.to_int64().value_or(0) << '\n';

  // Documents. The access token goes along, and is refreshed when needed.
  const auto dogs = user.mongo_client("mongodb-atlas").database("shop").collection("dogs");
  dogs.insert_one({{"_id", 1}, {"name", "Rex"}, {"owner_id", user.identifier()}}).get();
  for (const keyturn::EjsonDocument& dog : dogs.find({{"name", "Rex"}}, {.limit = 10}).get())
    std::cout << "found: " << keyturn::Ejson(dog).to_relaxed() << '\n';

  // Changes as they happen; the watch outlives its access token.
  auto watch =
      dogs.watch({.on_event = [](const keyturn::ChangeEvent& event) { std::cout << event.operation << '\n'; },
                  .on_reconnect = [] { std::cout << "some changes may have been missed\n"; },
                  .on_error = [](const keyturn::Error& error) { std::cerr << error.message << '\n'; }})
          .result();
  if (!watch) std::cerr << "no watch: " << watch.error().message << '\n';
  user.log_out().get();
}
