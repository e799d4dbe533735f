// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/memory_stores.hpp"

#include "server/storage/conformance/store_fixture.hpp"
#include "server/storage/memory/memory_signing_keys.hpp"

namespace {

using keyturn::server::conformance::FixtureOf;
using keyturn::server::conformance::StoreFixture;
using keyturn::server::memory::MemoryStores;

std::unique_ptr<StoreFixture> open_memory() {
  return std::make_unique<FixtureOf<MemoryStores>>(std::make_unique<MemoryStores>());
}

TEST(MemorySigningKeys, KeepsADomainsKeysUntilRemoved) {
  keyturn::server::memory::MemorySigningKeys store;
  EXPECT_FALSE(store.load("domain").has_value());
  const auto made = store.create("domain").value();
  EXPECT_EQ(store.load("domain").value(), made);
  EXPECT_NE(store.create("other").value()->access_es256.id(), made->access_es256.id());
  EXPECT_TRUE(made->refresh_hs256.can_sign());
  store.remove("domain");
  EXPECT_FALSE(store.load("domain").has_value());
}

}  // namespace

INSTANTIATE_STORE_CONFORMANCE(Memory, open_memory);
