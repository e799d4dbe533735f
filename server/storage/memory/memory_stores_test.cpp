// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/memory_stores.hpp"

#include "server/storage/conformance/store_fixture.hpp"

namespace {

using keyturn::server::conformance::FixtureOf;
using keyturn::server::conformance::StoreFixture;
using keyturn::server::memory::MemoryStores;

std::unique_ptr<StoreFixture> open_memory() {
  return std::make_unique<FixtureOf<MemoryStores>>(std::make_unique<MemoryStores>());
}

}  // namespace

INSTANTIATE_STORE_CONFORMANCE(Memory, open_memory);
