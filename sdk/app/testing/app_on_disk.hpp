// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"

namespace keyturn::testing {

/// An app whose sessions are kept in a folder that goes with the test, at a server that knows Ada.
class AppOnDiskTest : public ::testing::Test {
 protected:
  AppOnDiskTest() { server.add_user("ada@example.com", "correct horse"); }
  ~AppOnDiskTest() override { std::filesystem::remove_all(directory); }
  [[nodiscard]] App::configuration config(char key = 'k') const {
    App::configuration out;
    out.app_id = "app";
    out.base_url = server.base_url();
    out.store = TokenStoreConfiguration::in_directory(directory,
                                                      TokenStoreKey::supplied(Secret(std::string(64, key))));
    return out;
  }
  static Pending<User> log_in_to(App& app, const std::string& name = "ada") {
    return app.login(App::credentials::username_password(name + "@example.com", "correct horse"));
  }

  ScriptedServer server;
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("keyturn-app-" + crypto::hex_encode(crypto::random_bytes(8)));
};

}  // namespace keyturn::testing
