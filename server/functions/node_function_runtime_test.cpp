// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

using testing::ejson;

class NodeFunctionRuntimeTest : public testing::RuntimeTest {};

TEST_F(NodeFunctionRuntimeTest, AddsTwoNumbers) {
  start();
  const auto result =
      run("exports = async (a,b) => a+b", {ejson(R"({"$numberInt":"7"})"), ejson(R"({"$numberLong":"8"})")});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(json::write(*result), R"({"$numberLong":"15"})");
}

}  // namespace
}  // namespace keyturn::server::functions
