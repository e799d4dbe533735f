// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/own_origins.hpp"

#include <gtest/gtest.h>

namespace keyturn::server::daemon {
namespace {

using Origins = std::set<std::string, std::less<>>;

TEST(OwnOrigins, AreTheAddressAndTheFormsOfLocalhost) {
  const Origins local = {"http://127.0.0.1:9090", "http://[::1]:9090", "http://localhost:9090"};
  for (const char* address : {"127.0.0.1", "::1", "[::1]", "localhost"})
    EXPECT_EQ(own_origins(address, 9090, {"10.1.2.3"}), local) << address;
  EXPECT_EQ(own_origins("10.1.2.3", 9090, {"10.1.2.3", "10.9.9.9"}), (Origins{"http://10.1.2.3:9090"}));
  EXPECT_EQ(own_origins("10.1.2.3", 80, {}), (Origins{"http://10.1.2.3"}));
  for (const char* address : {"0.0.0.0", "::"}) {
    Origins all = local;
    all.insert({"http://10.1.2.3:9090", "http://[fd00::1]:9090"});
    EXPECT_EQ(own_origins(address, 9090, {"10.1.2.3", "fd00::1"}), all) << address;
  }
}

TEST(OwnOrigins, KnowTheInterfacesOfThisMachine) { EXPECT_FALSE(interface_addresses().empty()); }

}  // namespace
}  // namespace keyturn::server::daemon
