// SPDX-License-Identifier: Apache-2.0
// A store that is read without being opened: what a program learns that only looks, and what it leaves alone.
#include "sdk/token_store/conformance/sqlite_store_fixture.hpp"
#include "sdk/token_store/store_folder.hpp"

namespace keyturn::sdk {
namespace {

class ReadingTest : public SqliteStoreTest {
 protected:
  [[nodiscard]] Result<std::optional<TokenBook>> read(const std::shared_ptr<KeySource>& key) const {
    return read_sqlite_token_store(
        {top / "store", "app", "https://server.test", key, std::chrono::milliseconds(20)});
  }
  [[nodiscard]] Result<std::optional<TokenBook>> read() const { return read(keys); }
  [[nodiscard]] ErrorCode fault() const {
    const auto seen = read();
    return seen ? ErrorCode::AppUnknownError : seen.error().code;
  }
};

TEST_F(ReadingTest, ShowsWhatIsKept) {
  auto store = *open(top / "store");
  (void)store->put(ada(), true);
  const auto seen = read();
  ASSERT_TRUE(seen && *seen);
  EXPECT_EQ((*seen)->current, "ada");
  EXPECT_TRUE((*seen)->find("ada")->access_token.equals("CANARY-access-token"));
  EXPECT_EQ((*seen)->version, *store->version());
  (void)store->clear_tokens("ada", EndReason::revoked, false, std::nullopt);
  EXPECT_FALSE((*read())->find("ada")->logged_in) << "also what stands in the log alone";
}

TEST_F(ReadingTest, MakesNothing) {
  EXPECT_FALSE(read()->has_value());
  EXPECT_FALSE(fs::exists(top / "store"));
  fs::create_directory(top / "store");
  fs::permissions(top / "store", fs::perms::owner_all);
  EXPECT_FALSE(read()->has_value());
  EXPECT_TRUE(fs::is_empty(top / "store"));
}

TEST_F(ReadingTest, ChangesNothingAndWakesNobody) {
  auto store = *open(top / "store");
  (void)store->put(ada(), true);
  pollfd waited{store->changes(), POLLIN, 0};
  ASSERT_GE(waited.fd, 0);
  store->changes_seen();
  const auto before = digests();
  ASSERT_TRUE(read()->has_value());
  EXPECT_EQ(digests(), before);
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
}

// A log that lost its end reads as an older store without any fault, in which a log-out may not have
// happened.
TEST_F(ReadingTest, LeavesAStoreThatLostItsLastStepsToWhoOpensIt) {
  { (void)(*open(top / "store"))->put(ada(), true); }
  const fs::path held = top / "held";
  fs::copy(top / "store", held);
  ASSERT_TRUE(read()->has_value());
  { (void)(*open(top / "store"))->clear_tokens("ada", EndReason::logged_out, true, std::nullopt); }
  for (const auto& entry : fs::directory_iterator(held)) {
    if (entry.path().extension() != ".good")
      fs::copy(entry.path(), top / "store" / entry.path().filename(), fs::copy_options::overwrite_existing);
  }
  const auto before = digests();
  const auto seen = read();
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->has_value());
  EXPECT_EQ(digests(), before);
  { ASSERT_TRUE(open(top / "store")); }
  ASSERT_TRUE(read()->has_value());
  EXPECT_FALSE((*read())->find("ada")->logged_in);
}

TEST_F(ReadingTest, TellsWhyItCannotAndRepairsNothing) {
  { (void)(*open(top / "store"))->put(ada(), true); }
  EXPECT_EQ(read(app_supplied_key(Secret(std::string(64, 'x')))).error().code,
            ErrorCode::StoreKeyUnavailable);
  EXPECT_EQ(read(key_file(top / "no/key")).error().code, ErrorCode::StoreKeyUnavailable);
  EXPECT_FALSE(fs::exists(top / "no"));
  for (const char* const text : {"PRAGMA user_version = 3", "PRAGMA user_version = 1",
                                 "PRAGMA user_version = 2; PRAGMA application_id = 7"}) {
    sql(text);
    EXPECT_EQ(fault(),
              std::string_view(text).ends_with('3') ? ErrorCode::StoreNewerVersion : ErrorCode::StoreCorrupt);
  }
  sql("PRAGMA application_id = 1265923179");
  EXPECT_TRUE(read()->has_value());
  sql("UPDATE record SET stamp = stamp + 1");
  const auto before = digests();
  EXPECT_EQ(fault(), ErrorCode::StoreCorrupt);
  EXPECT_EQ(digests(), before);
}

TEST_F(ReadingTest, TakesNoFileThatOthersMayTouch) {
  { (void)(*open(top / "store"))->put(ada(), true); }
  ASSERT_EQ(::chmod(file().c_str(), 0640), 0);
  EXPECT_EQ(fault(), ErrorCode::InvalidConfiguration);
  ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  ASSERT_EQ(::chmod((top / "store").c_str(), 0770), 0);
  EXPECT_EQ(fault(), ErrorCode::InvalidConfiguration);
  ASSERT_EQ(::chmod((top / "store").c_str(), 0700), 0);
  fs::rename(top / "store", top / "real");
  fs::create_directory_symlink(top / "real", top / "store");
  EXPECT_EQ(fault(), ErrorCode::InvalidConfiguration);
}

TEST_F(ReadingTest, WaitsForARecoveryToEnd) {
  { (void)(*open(top / "store"))->put(ada(), true); }
  const auto folder = *StoreFolder::open(top / "store");
  auto alone = *folder.try_lock(file().filename().string() + ".guard");
  ASSERT_NE(alone, nullptr);
  EXPECT_EQ(fault(), ErrorCode::StoreLocked);
  alone.reset();
  EXPECT_TRUE(read()->has_value());
}

}  // namespace
}  // namespace keyturn::sdk
