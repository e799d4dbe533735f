// SPDX-License-Identifier: Apache-2.0
// What happens when the database is opened: files and their modes, refusals, migrations, settings.
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/migrations.hpp"
#include "server/storage/sqlite/test_folder.hpp"

namespace keyturn::server::sqlite {
namespace {

using conformance::at;
using conformance::kApp;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path.filename();
  return info.st_mode & 07777;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  ::chmod(path.c_str(), 0600);
}

/// Runs SQL on the file without any of our code.
void run_raw(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

std::string ask_raw(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  std::string out;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  if (sqlite3_step(statement) == SQLITE_ROW)
    out = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return out;
}

Error refusal_of(const TestFolder& folder) {
  const auto stores = SqliteStores::open({folder.path, nullptr, 16});
  EXPECT_FALSE(stores.has_value());
  const Error error = stores ? Error() : stores.error();
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << "one line";
  EXPECT_EQ(error.message.find(folder.path.string()), std::string::npos) << "no path";
  return error;
}

TEST(SqliteOpen, MakesFolderAndFilesForTheOwnerAlone) {
  const TestFolder parent;
  const mode_t before = ::umask(0);
  const std::filesystem::path data = parent.path / "data";
  const auto stores = SqliteStores::open({data, nullptr, 16});
  ::umask(before);
  ASSERT_TRUE(stores.has_value());
  ASSERT_TRUE((*stores)->users().create(conformance::user(1)).has_value());
  EXPECT_EQ(mode_of(data), 0700U);
  EXPECT_EQ(mode_of(data / "keyturn.db"), 0600U);
  EXPECT_EQ(mode_of(data / "keyturn.db-wal"), 0600U);
  EXPECT_EQ(mode_of(data / "keyturn.db-shm"), 0600U);
  EXPECT_EQ(mode_of(data / "lock"), 0600U);
}

TEST(SqliteOpen, RefusesAFolderOrFileThatIsOpenToOthers) {
  const TestFolder folder;
  open_in(folder);
  ::chmod(folder.path.c_str(), 0770);
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::InvalidConfiguration);
  ::chmod(folder.path.c_str(), 0700);
  ::chmod(folder.file().c_str(), 0640);
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::InvalidConfiguration);
  ::chmod(folder.file().c_str(), 0600);
  EXPECT_NO_THROW(open_in(folder));
}

TEST(SqliteOpen, RefusesASecondOwnerUntilTheFirstIsGone) {
  const TestFolder folder;
  auto first = open_in(folder);
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::StoreLocked);
  EXPECT_TRUE(first->users().create(conformance::user(1)).has_value()) << "the first one is not disturbed";
  first.reset();
  EXPECT_TRUE(open_in(folder)->users().find(kApp, conformance::user(1).id).value().has_value());
}

TEST(SqliteOpen, RefusesAMissingParent) {
  const TestFolder folder;
  const auto stores = SqliteStores::open({folder.path / "no" / "such", nullptr, 16});
  ASSERT_FALSE(stores.has_value());
  EXPECT_EQ(stores.error().code, ErrorCode::StoreUnavailable);
}

TEST(SqliteOpen, LeavesAFileThatIsNoDatabaseAsItIs) {
  for (const std::string& bytes :
       {std::string("hello"), std::string("SQLite format 3"), std::string(8'192, 'x')}) {
    const TestFolder folder;
    write_file(folder.file(), bytes);
    EXPECT_EQ(refusal_of(folder).code, ErrorCode::StoreCorrupt);
    EXPECT_EQ(bytes_of(folder.file()), bytes);
  }
}

TEST(SqliteOpen, LeavesADamagedDatabaseAsItIs) {
  const TestFolder folder;
  open_in(folder);
  const std::string bytes = std::string("SQLite format 3") + std::string(5'000, '\0');
  write_file(folder.file(), bytes);
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::StoreCorrupt);
  EXPECT_EQ(bytes_of(folder.file()), bytes);
}

TEST(SqliteOpen, LeavesTheDatabaseOfAnotherProgramAsItIs) {
  const TestFolder folder;
  run_raw(folder.file(), "CREATE TABLE notes (text TEXT)");
  ::chmod(folder.file().c_str(), 0600);
  const std::string before = bytes_of(folder.file());
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::StoreCorrupt);
  EXPECT_EQ(bytes_of(folder.file()), before);
}

TEST(SqliteOpen, LeavesANewerDatabaseAsItIs) {
  const TestFolder folder;
  open_in(folder);
  const std::string newer = std::to_string(migrations().size() + 1);
  run_raw(folder.file(), ("PRAGMA user_version = " + newer).c_str());
  const std::string before = bytes_of(folder.file());
  EXPECT_EQ(refusal_of(folder).code, ErrorCode::StoreNewerVersion);
  EXPECT_EQ(bytes_of(folder.file()), before);
  EXPECT_EQ(ask_raw(folder.file(), "PRAGMA user_version"), newer);
}

TEST(SqliteOpen, MigratesAnEmptyDatabaseStepByStep) {
  int expected = 0;
  for (const Migration& migration : migrations()) EXPECT_EQ(migration.version, ++expected);
  const TestFolder folder;
  write_file(folder.file(), "");
  open_in(folder);
  EXPECT_EQ(ask_raw(folder.file(), "PRAGMA user_version"), std::to_string(expected));
  EXPECT_EQ(ask_raw(folder.file(), "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(ask_raw(folder.file(), "PRAGMA integrity_check"), "ok");
  EXPECT_NO_THROW(open_in(folder)) << "and once more, when there is nothing to do";
}

TEST(SqliteOpen, KeepsEverythingOverARestart) {
  const TestFolder folder;
  const User owner = conformance::user(1);
  const Session opened = conformance::session(1, owner);
  {
    const auto stores = open_in(folder);
    ASSERT_TRUE(stores->users().create(owner).has_value());
    ASSERT_EQ(stores->sessions().open(opened, 0).value(), OpenOutcome::opened);
    ASSERT_EQ(stores->sessions().end(kApp, {}, opened.id, EndReason::idle, at(200)).value(),
              EndOutcome::ended);
  }
  const auto stores = open_in(folder);
  EXPECT_EQ(stores->sessions().find(opened.id).value()->reason, EndReason::idle);
}

// Rule V2: this fails when anybody opens the writing connection with synchronous=NORMAL.
TEST(SqliteOpen, WritesWithSynchronousFull) {
  const TestFolder folder;
  const auto stores = open_in(folder);
  const auto level = stores->database_for_test().write(
      [](WriteStep& step) { return step.sql.pragma("PRAGMA synchronous"); });
  EXPECT_EQ(level.value(), "2");
  const auto keys = stores->database_for_test().write(
      [](WriteStep& step) { return step.sql.pragma("PRAGMA foreign_keys"); });
  EXPECT_EQ(keys.value(), "1");
}

TEST(SqliteOpen, RefusesEveryWriteWhenSynchronousIsLowered) {
  const TestFolder folder;
  std::vector<std::string> lines;
  const auto stores =
      SqliteStores::open({folder.path, [&](std::string_view line) { lines.emplace_back(line); }, 16}).value();
  for (const char* lowered : {"PRAGMA synchronous = NORMAL", "PRAGMA synchronous = OFF"}) {
    stores->database_for_test().sabotage_for_test(lowered);
    const auto created = stores->users().create(conformance::user(1));
    ASSERT_FALSE(created.has_value()) << lowered;
    EXPECT_EQ(created.error().code, ErrorCode::ServiceUnavailable);
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find("synchronous"), std::string::npos);
  stores->database_for_test().sabotage_for_test("PRAGMA synchronous = FULL");
  EXPECT_TRUE(stores->users().create(conformance::user(1)).has_value());
}

}  // namespace
}  // namespace keyturn::server::sqlite
