// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/key_source/device_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/crypto/crypto.hpp"

namespace keyturn::sdk {
namespace {

namespace fs = std::filesystem;

class DeviceKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(top);
    fs::permissions(top, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(top); }
  [[nodiscard]] DeviceKeyFile device_key(KeySource& sealed_by, const char* app = "app") const {
    return {top, app, "https://server.test", sealed_by};
  }
  [[nodiscard]] fs::path only_file() const { return fs::directory_iterator(top)->path(); }
  static std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static Secret first() { return Secret("first key"); }
  static Secret second() { return Secret("second key"); }

  const fs::path top =
      fs::temp_directory_path() / ("keyturn-device-" + crypto::hex_encode(crypto::random_bytes(8)));
  const std::unique_ptr<KeySource> keys = app_supplied_key(Secret(std::string(64, 'k')));
};

TEST_F(DeviceKeyTest, LookingForOneMakesNone) {
  EXPECT_FALSE(device_key(*keys).find()->has_value());
  EXPECT_TRUE(fs::is_empty(top));
}

TEST_F(DeviceKeyTest, IsMadeOnceSealedForItsOwnerAlone) {
  EXPECT_EQ(device_key(*keys).find_or_make(first)->reveal(), "first key");
  EXPECT_EQ(device_key(*keys).find_or_make(second)->reveal(), "first key");
  EXPECT_EQ((*device_key(*keys).find())->reveal(), "first key");
  EXPECT_EQ(bytes_of(only_file()).find("first key"), std::string::npos);
  struct stat info {};
  ASSERT_EQ(::stat(only_file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(DeviceKeyTest, EachAppHasItsOwn) {
  EXPECT_EQ(device_key(*keys, "one").find_or_make(first)->reveal(), "first key");
  EXPECT_EQ(device_key(*keys, "two").find_or_make(second)->reveal(), "second key");
}

TEST_F(DeviceKeyTest, AnotherSealOrAnyFlippedByteIsCorruptAndLeftAlone) {
  ASSERT_TRUE(device_key(*keys).find_or_make(first));
  const auto other = app_supplied_key(Secret(std::string(64, 'o')));
  EXPECT_EQ(device_key(*other).find().error().code, ErrorCode::StoreCorrupt);
  EXPECT_EQ(device_key(*other).find_or_make(second).error().code, ErrorCode::StoreCorrupt);

  const std::string good = bytes_of(only_file());
  for (std::size_t i = 0; i <= good.size(); ++i) {
    std::string bad = good;
    if (i < good.size()) {
      bad[i] = static_cast<char>(bad[i] ^ 1);
    } else {
      bad.pop_back();
    }
    std::ofstream(only_file(), std::ios::binary | std::ios::trunc) << bad;
    EXPECT_EQ(device_key(*keys).find().error().code, ErrorCode::StoreCorrupt) << i;
    EXPECT_EQ(bytes_of(only_file()), bad);
  }
}

TEST_F(DeviceKeyTest, AMissingSealKeyIsNoReasonForANewOne) {
  const auto sealed_by = key_file(top / "keys/seal");
  ASSERT_TRUE(device_key(*sealed_by).find_or_make(first));
  fs::remove(top / "keys/seal");
  EXPECT_EQ(device_key(*sealed_by).find_or_make(second).error().code, ErrorCode::StoreKeyUnavailable);
}

}  // namespace
}  // namespace keyturn::sdk
