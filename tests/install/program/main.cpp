// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <keyturn/app.hpp>

int main() {
  const keyturn::App app({.app_id = "demo-abcde",
                          .base_url = "http://127.0.0.1:9",
                          .store = keyturn::TokenStoreConfiguration::in_memory()});
  std::printf("%s %zu\n", app.app_id().c_str(), app.all_users().size());
}
