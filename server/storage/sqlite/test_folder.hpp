// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/storage/conformance/store_fixture.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server::sqlite {

/// A data folder of a test's own, removed at its end.
struct TestFolder {
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-sqlite-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  [[nodiscard]] std::filesystem::path file() const { return path / "keyturn.db"; }

  std::filesystem::path path;
};

/// Opens the stores of a folder, which must succeed.
inline std::unique_ptr<SqliteStores> open_in(const TestFolder& folder, std::size_t cached_sessions = 10'000) {
  Result<std::unique_ptr<SqliteStores>> stores = SqliteStores::open({folder.path, nullptr, cached_sessions});
  if (!stores) throw std::runtime_error(stores.error().message);
  return *std::move(stores);
}

}  // namespace keyturn::server::sqlite
