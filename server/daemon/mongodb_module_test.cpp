// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/mongodb_module.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace keyturn::server::daemon {
namespace {

std::string refusal_of(const std::filesystem::path& file, const char* version) {
  const auto loaded = load_mongodb_module(file, version);
  if (loaded) return "none";
  EXPECT_EQ(loaded.error().code, ErrorCode::InvalidConfiguration);
  return loaded.error().message;
}

TEST(MongoDbModule, IsRefusedWithAReasonWhenItIsNone) {
  EXPECT_NE(refusal_of("/nowhere/keyturn-mongodb.so", "1").find("No such file"), std::string::npos);
  EXPECT_NE(refusal_of("/proc/self/status", "1").find("linked clusters need /proc/self/status"),
            std::string::npos);
  EXPECT_NE(refusal_of("libm.so.6", "1").find("no module of Keyturn"), std::string::npos);
}

TEST(MongoDbModule, IsOfTheServersVersion) {
  EXPECT_NE(refusal_of(KEYTURN_MONGODB_MODULE, "0.0.0-other").find("the server of 0.0.0-other"),
            std::string::npos);
  const auto loaded = load_mongodb_module(KEYTURN_MONGODB_MODULE, KEYTURN_VERSION);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_NE((*loaded)->linked_documents, nullptr);
}

}  // namespace
}  // namespace keyturn::server::daemon
