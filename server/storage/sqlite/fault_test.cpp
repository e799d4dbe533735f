// SPDX-License-Identifier: Apache-2.0
// What a store does when the disk, the file or the process fails (rows B-93, B-95, B-96).
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>

#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/faulty_disk.hpp"
#include "server/storage/sqlite/test_folder.hpp"

namespace keyturn::server::sqlite {
namespace {

using conformance::at;
using conformance::id;
using conformance::kApp;

template <class T>
void expect_unavailable(const Result<T>& result) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(result.error().message, "the storage is not available at the moment");
}

std::string integrity(const TestFolder& folder) {
  sqlite3* handle = nullptr;
  sqlite3_open(folder.file().c_str(), &handle);
  sqlite3_stmt* statement = nullptr;
  std::string out = "cannot be checked";
  if (sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    out = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return out;
}

TEST(SqliteFaults, SyncsEveryAcknowledgedWrite) {
  FaultyDisk disk;
  const TestFolder folder;
  const auto stores = open_in(folder);
  const User owner = conformance::user(1);
  const Session session = conformance::session(1, owner);
  const auto synced = [&](const char* what) { EXPECT_GE(disk.syncs(), 1) << what; };
  disk.syncs();
  ASSERT_TRUE(stores->users().create(owner).has_value());
  synced("create");
  ASSERT_EQ(stores->sessions().open(session, 0).value(), OpenOutcome::opened);
  synced("open");
  ASSERT_TRUE(stores->sessions().end(kApp, {}, session.id, EndReason::revoked, at(1)).has_value());
  synced("end");
  ASSERT_TRUE(stores->users().set_disabled(kApp, owner.id, true, at(1)).value());
  synced("set_disabled");
  ASSERT_TRUE(stores->sessions().find(session.id).has_value());
  EXPECT_EQ(disk.syncs(), 0) << "a read writes nothing";
}

// The n-th write or sync of a step fails, for every n: all or nothing, and the next step goes well.
TEST(SqliteFaults, AnyFailingWriteLeavesAllOrNothing) {
  FaultyDisk disk;
  const TestFolder folder;
  const auto stores = open_in(folder);
  const User owner = conformance::user(1);
  ASSERT_TRUE(stores->users().create(owner).has_value());
  int number = 0;
  int faults = 0;
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_READONLY}) {
    for (int nth = 1;; ++nth) {
      ++number;
      const Session before = conformance::session(number, owner, number);
      ASSERT_EQ(stores->sessions().open(before, 0).value(), OpenOutcome::opened);
      const WallTime stamp = stores->users().find(kApp, owner.id).value()->last_authentication;
      ++number;
      const Session wanted = conformance::session(number, owner, number);
      disk.fail(nth, code);
      const auto opened = stores->sessions().open(wanted, 0);
      const auto ended = stores->sessions().end(kApp, {}, before.id, EndReason::revoked, at(1));
      const bool met = disk.heal();
      faults += met ? 1 : 0;
      ASSERT_EQ(stores->sessions().find(wanted.id).value().has_value(), opened.has_value())
          << code << " at " << nth;
      ASSERT_EQ(stores->sessions().find(before.id).value()->ended, ended.has_value())
          << code << " at " << nth;
      if (!opened) {
        expect_unavailable(opened);
        EXPECT_EQ(stores->users().find(kApp, owner.id).value()->last_authentication, stamp);
      }
      if (!ended) expect_unavailable(ended);
      if (!met) break;
    }
  }
  EXPECT_GE(faults, 12);
  EXPECT_EQ(integrity(folder), "ok");
}

TEST(SqliteFaults, AReadOnlyDiskStillAnswersReads) {
  FaultyDisk disk;
  const TestFolder folder;
  const auto stores = open_in(folder, 16);
  const User owner = conformance::user(1);
  ASSERT_TRUE(stores->users().create(owner).has_value());
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(stores->sessions().open(conformance::session(i, owner), 0).has_value());
  disk.fail(1, SQLITE_READONLY, true);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(stores->sessions().find(id('d', i)).value()->ended);
  expect_unavailable(stores->sessions().end(kApp, {}, id('d', 1), EndReason::revoked, at(1)));
  expect_unavailable(stores->sessions().touch({{id('d', 1), at(500)}}));
  expect_unavailable(stores->sessions().purge(at(9'000'000), 10));
  expect_unavailable(stores->users().set_disabled(kApp, owner.id, true, at(1)));
  expect_unavailable(stores->users().remove(kApp, owner.id, at(1)));
  EXPECT_FALSE(stores->sessions().find(id('d', 1)).value()->ended);
  EXPECT_EQ(stores->sessions().find(id('d', 1)).value()->last_used, at(100));
  EXPECT_FALSE(stores->users().find(kApp, owner.id).value()->disabled);
  EXPECT_EQ(stores->sessions().list(kApp, owner.id).value().size(), 100U);
  disk.heal();
  EXPECT_EQ(stores->sessions().end(kApp, {}, id('d', 1), EndReason::revoked, at(1)).value(),
            EndOutcome::ended);
}

TEST(SqliteFaults, AConnectionThatMayNotWriteSaysSo) {
  const TestFolder folder;
  std::string detail;
  const auto stores =
      SqliteStores::open({folder.path, [&](std::string_view line) { detail = line; }, 16}).value();
  stores->database_for_test().sabotage_for_test("PRAGMA query_only = ON");
  expect_unavailable(stores->users().create(conformance::user(1)));
  EXPECT_NE(detail.find("SQLite 8"), std::string::npos) << "the operator learns more: " << detail;
  EXPECT_FALSE(stores->users().find(kApp, conformance::user(1).id).value().has_value());
}

TEST(SqliteFaults, AFullDatabaseLeavesNothingHalfDone) {
  const TestFolder folder;
  const auto stores = open_in(folder);
  const User owner = conformance::user(1);
  ASSERT_TRUE(stores->users().create(owner).has_value());
  stores->database_for_test().sabotage_for_test("PRAGMA max_page_count = 60");
  int opened = 0;
  Result<OpenOutcome> outcome = OpenOutcome::opened;
  WallTime stamp;
  for (; opened < 10'000; ++opened) {
    stamp = stores->users().find(kApp, owner.id).value()->last_authentication;
    outcome = stores->sessions().open(conformance::session(opened, owner, opened), 0);
    if (!outcome) break;
  }
  expect_unavailable(outcome);
  EXPECT_GT(opened, 10);
  EXPECT_FALSE(stores->sessions().find(id('d', opened)).value().has_value());
  EXPECT_EQ(stores->users().find(kApp, owner.id).value()->last_authentication, stamp);
  EXPECT_EQ(stores->sessions().list(kApp, owner.id).value().size(), static_cast<std::size_t>(opened));
  // A user is several rows: the user fits in a page that is there, the identity does not.
  User large = conformance::user(2);
  large.identities.front().data.set("text", std::string(200'000, 'x'));
  expect_unavailable(stores->users().create(large));
  EXPECT_FALSE(stores->users().find(kApp, large.id).value().has_value());
  EXPECT_EQ(stores->sessions().end(kApp, {}, id('d', 0), EndReason::revoked, at(1)).value(),
            EndOutcome::ended)
      << "a full disk does not keep a session alive that needs no room to end";
  stores->database_for_test().sabotage_for_test("PRAGMA max_page_count = 100000");
  EXPECT_TRUE(stores->users().create(large).has_value());
}

TEST(SqliteFaults, AForeignLockDelaysAndThenRefusesWritesOnly) {
  const TestFolder folder;
  const auto stores = open_in(folder, 1);
  const User owner = conformance::user(1);
  ASSERT_TRUE(stores->users().create(owner).has_value());
  ASSERT_TRUE(stores->sessions().open(conformance::session(1, owner), 0).has_value());
  sqlite3* foreign = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file().c_str(), &foreign), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(foreign, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  expect_unavailable(stores->users().set_disabled(kApp, owner.id, true, at(1)));
  EXPECT_FALSE(stores->sessions().find(id('d', 1)).value()->ended);
  EXPECT_FALSE(stores->users().find(kApp, owner.id).value()->disabled);
  sqlite3_close(foreign);
  EXPECT_TRUE(stores->users().set_disabled(kApp, owner.id, true, at(1)).value());
}

// "No such session" would log the user out: damage must never be taken for it.
TEST(SqliteFaults, ADamagedPageIsAFaultAndNotAMissingSession) {
  const TestFolder folder;
  constexpr int kSessions = 500;
  const User owner = conformance::user(1);
  {
    const auto stores = open_in(folder);
    ASSERT_TRUE(stores->users().create(owner).has_value());
    for (int i = 0; i < kSessions; ++i)
      ASSERT_TRUE(stores->sessions().open(conformance::session(i, owner), 0).has_value());
  }
  const auto size = std::filesystem::file_size(folder.file());
  {
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    for (std::uintmax_t offset = std::uintmax_t{40} * 4'096; offset < size; offset += 3 * 4'096) {
      file.seekp(static_cast<std::streamoff>(offset));
      file << std::string(4'096, '\xff');
    }
  }
  const auto stores = open_in(folder, 1);
  int failed = 0;
  for (int i = 0; i < kSessions; ++i) {
    const auto found = stores->sessions().find(id('d', i));
    if (!found) {
      expect_unavailable(found);
      ++failed;
    } else {
      EXPECT_TRUE(found->has_value()) << i;
    }
  }
  EXPECT_GT(failed, 0);
  EXPECT_LT(failed, kSessions);
}

TEST(SqliteFaults, ADocumentThatIsNoJsonIsAFault) {
  const TestFolder folder;
  const auto stores = open_in(folder);
  ASSERT_TRUE(stores->apps().put_document(kApp, "values", id('5', 1), json::Value(1)).has_value());
  stores->database_for_test().sabotage_for_test("UPDATE documents SET value = '{\"half'");
  expect_unavailable(stores->apps().document(kApp, "values", id('5', 1)));
  EXPECT_TRUE(stores->apps().all().has_value()) << "the connection is usable again";
}

/// Opens sessions and ends every other one, telling each through the pipe once it is acknowledged.
[[noreturn]] void write_until_killed(const TestFolder& folder, const User& owner, int first, int pipe) {
  const auto stores = open_in(folder);
  for (int number = first;; ++number) {
    const Session session = conformance::session(number, owner);
    if (!stores->sessions().open(session, 0)) ::_exit(1);
    if (number % 2 == 0 && !stores->sessions().end(kApp, {}, session.id, EndReason::revoked, at(1)))
      ::_exit(1);
    if (::write(pipe, &number, sizeof number) != sizeof number) ::_exit(1);
  }
}

TEST(SqliteFaults, KillingTheProcessLosesNothingAcknowledged) {
  const TestFolder folder;
  const User owner = conformance::user(1);
  ASSERT_TRUE(open_in(folder)->users().create(owner).has_value());
  std::mt19937 random(7);
  std::vector<int> acknowledged;
  for (int cycle = 0; cycle < 30; ++cycle) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(folder, owner, 1'000'000 * (cycle + 1), ends[1]);
    }
    ::close(ends[1]);
    int number = 0;
    const int wanted = 1 + static_cast<int>(random() % 15);
    for (int i = 0; i < wanted && ::read(ends[0], &number, sizeof number) == sizeof number; ++i) {
      acknowledged.push_back(number);
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &number, sizeof number) == sizeof number) acknowledged.push_back(number);
    ::close(ends[0]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  ASSERT_GT(acknowledged.size(), 100U);
  const auto stores = open_in(folder);
  for (const int number : acknowledged) {
    const auto found = stores->sessions().find(id('d', number)).value();
    ASSERT_TRUE(found.has_value()) << number;
    EXPECT_EQ(found->ended, number % 2 == 0) << number;
  }
  EXPECT_EQ(integrity(folder), "ok");
}

}  // namespace
}  // namespace keyturn::server::sqlite
