// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/installed_parts.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace keyturn::server::daemon {
namespace {

class InstalledPartsTest : public ::testing::Test {
 protected:
  InstalledPartsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-parts-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~InstalledPartsTest() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << "x";
  }
  std::filesystem::path root_;
};

TEST_F(InstalledPartsTest, FindsTheProgramsOfFunctionsInAnInstallation) {
  put("libexec/keyturn/keyturn-function-launcher");
  put("share/keyturn/function_host/worker.js");
  const auto found = find_function_programs(root_ / "bin" / "keyturnd");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->launcher, root_ / "libexec/keyturn/keyturn-function-launcher");
  EXPECT_EQ(found->function_host, root_ / "share/keyturn/function_host");
}

TEST_F(InstalledPartsTest, FindsTheProgramsOfFunctionsInABuildTree) {
  put("server/functions/keyturn-function-launcher");
  put("server/functions/function_host/worker.js");
  const auto found = find_function_programs(root_ / "server" / "daemon" / "keyturnd");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->launcher, root_ / "server/functions/keyturn-function-launcher");
}

TEST_F(InstalledPartsTest, MissesTheProgramsOfFunctionsByName) {
  put("libexec/keyturn/keyturn-function-launcher");  // half of them is not enough
  const auto found = find_function_programs(root_ / "bin" / "keyturnd");
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().message.find("keyturn-function-launcher and function_host are not installed"),
            std::string::npos);
}

TEST_F(InstalledPartsTest, FindsTheModuleOfLinkedClusters) {
  const auto missing = find_mongodb_module(root_ / "bin" / "keyturnd");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("keyturn-mongodb.so is not installed"), std::string::npos);
  put("server/storage/mongodb/keyturn-mongodb.so");
  EXPECT_EQ(find_mongodb_module(root_ / "server" / "daemon" / "keyturnd").value(),
            root_ / "server/storage/mongodb/keyturn-mongodb.so");
  put("libexec/keyturn/keyturn-mongodb.so");
  EXPECT_EQ(find_mongodb_module(root_ / "bin" / "keyturnd").value(),
            root_ / "libexec/keyturn/keyturn-mongodb.so");
}

TEST(OwnExecutable, IsThisTest) { EXPECT_TRUE(std::filesystem::exists(own_executable())); }

}  // namespace
}  // namespace keyturn::server::daemon
