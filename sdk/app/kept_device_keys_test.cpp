// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/kept_device_keys.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/crypto/crypto.hpp"
#include "core/jwt/possession_proof.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"

namespace keyturn::sdk {
namespace {

namespace fs = std::filesystem;

class KeptDeviceKeysTest : public ::testing::Test {
 protected:
  KeptDeviceKeysTest() {
    fs::create_directory(top);
    fs::permissions(top, fs::perms::owner_all);
  }
  ~KeptDeviceKeysTest() override { fs::remove_all(top); }
  /// Of a process of its own.
  [[nodiscard]] KeptDeviceKeys open() const {
    return KeptDeviceKeys(stores.open(), top, "app", "https://server.test",
                          app_supplied_key(Secret(std::string(64, 'k'))));
  }
  void log_in_bound_to(const std::string& thumbprint) const {
    StoredUser user;
    user.user_id = "ada";
    user.logged_in = true;
    user.refresh_token =
        Secret(crypto::base64url_encode("{}") + "." +
               crypto::base64url_encode(R"({"cnf":{"jkt":")" + thumbprint + R"("}})") + ".c2ln");
    (void)stores.open()->put(user, true);
  }
  [[nodiscard]] fs::path key_file() const { return fs::directory_iterator(top)->path(); }

  const fs::path top =
      fs::temp_directory_path() / ("keyturn-keys-" + crypto::hex_encode(crypto::random_bytes(8)));
  const MemoryTokenStores stores;
};

TEST_F(KeptDeviceKeysTest, AKeyThatAnotherProcessMadeIsFound) {
  KeptDeviceKeys early = open();
  EXPECT_EQ(early.find("x").error().code, ErrorCode::DeviceKeyUnavailable);
  EXPECT_TRUE(fs::is_empty(top)) << "to look for a key makes none";
  KeptDeviceKeys late = open();
  const std::string thumbprint = jwt::thumbprint_of(*late.find_or_make());
  EXPECT_EQ(jwt::thumbprint_of(*early.find(thumbprint)), thumbprint);
  EXPECT_EQ(jwt::thumbprint_of(*early.find_or_make()), thumbprint);
  fs::remove(key_file());
  EXPECT_TRUE(early.find(thumbprint)) << "in memory it is there still";
}

TEST_F(KeptDeviceKeysTest, NoOtherKeyIsMadeWhileASessionMissesTheOldOne) {
  std::string thumbprint;
  {
    KeptDeviceKeys keys = open();
    thumbprint = jwt::thumbprint_of(*keys.find_or_make());
  }
  log_in_bound_to(thumbprint);
  fs::remove(key_file());
  KeptDeviceKeys keys = open();
  EXPECT_EQ(keys.find(thumbprint).error().code, ErrorCode::DeviceKeyUnavailable);
  const auto refused = keys.find_or_make();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::DeviceKeyUnavailable);
  EXPECT_EQ(refused.error().remedy, Remedy::log_in_again);
  EXPECT_TRUE(fs::is_empty(top));
  (void)stores.open()->clear_tokens("ada", EndReason::logged_out, true, std::nullopt);
  EXPECT_TRUE(keys.find_or_make()) << "nobody misses it any more";
}

// Who still holds the key in memory keeps it for the others.
TEST_F(KeptDeviceKeysTest, AKeyThatWasLostWhileItWasInUseIsKeptAgain) {
  KeptDeviceKeys keys = open();
  const std::string thumbprint = jwt::thumbprint_of(*keys.find_or_make());
  log_in_bound_to(thumbprint);
  fs::remove(key_file());
  EXPECT_EQ(jwt::thumbprint_of(*keys.find_or_make()), thumbprint);
  EXPECT_TRUE(open().find(thumbprint));
}

TEST_F(KeptDeviceKeysTest, ADamagedKeyAndAnotherOneAreUnavailableAndLeftAsTheyAre) {
  const std::string thumbprint = jwt::thumbprint_of(*open().find_or_make());
  EXPECT_EQ(open().find("another").error().code, ErrorCode::DeviceKeyUnavailable);
  std::ofstream(key_file(), std::ios::binary | std::ios::app) << "x";
  const auto size = fs::file_size(key_file());
  EXPECT_EQ(open().find(thumbprint).error().code, ErrorCode::DeviceKeyUnavailable);
  EXPECT_EQ(open().find_or_make().error().code, ErrorCode::DeviceKeyUnavailable);
  EXPECT_EQ(fs::file_size(key_file()), size);
}

TEST_F(KeptDeviceKeysTest, InMemoryThereIsOnePerApp) {
  KeptDeviceKeys keys(stores.open());
  EXPECT_FALSE(keys.find("x"));
  const std::string thumbprint = jwt::thumbprint_of(*keys.find_or_make());
  EXPECT_EQ(jwt::thumbprint_of(*keys.find_or_make()), thumbprint);
  EXPECT_TRUE(keys.find(thumbprint));
}

}  // namespace
}  // namespace keyturn::sdk
