// SPDX-License-Identifier: Apache-2.0
// The embedded store held to the cases of every store.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/testing/fake_clock.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"
#include "tests/documents/conformance/document_conformance.hpp"

namespace keyturn::server {
namespace {

struct World {
  World() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-conformance-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = name;
    sqlite::SqliteOptions options;
    options.folder = folder;
    options.clock = &clock;
    stores = std::move(*sqlite::SqliteStores::open(options));
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    stores.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::filesystem::path folder;
  testing::FakeClock clock;
  std::unique_ptr<sqlite::SqliteStores> stores;
};

[[maybe_unused]] const bool kHeld = conformance::register_document_conformance("Sqlite", [] {
  auto world = std::make_shared<World>();
  DocumentStore& store = world->stores->documents();
  return std::shared_ptr<DocumentStore>(std::move(world), &store);
});

}  // namespace
}  // namespace keyturn::server
