// SPDX-License-Identifier: Apache-2.0
#include "server/storage/key_files/key_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "server/storage/key_files/key_document.hpp"

namespace keyturn::server::key_files {
namespace {

constexpr const char* kDomain = "0123456789abcdef01234567";

class KeyFiles : public testing::Test {
 protected:
  KeyFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-keys-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~KeyFiles() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path file() const {
    return folder_ / "keys" / (std::string(kDomain) + ".json");
  }
  [[nodiscard]] std::string content() const {
    std::ifstream in(file());
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void replace(const std::string& bytes) {
    std::ofstream(file(), std::ios::trunc) << bytes;
    ::chmod(file().c_str(), 0600);
  }
  /// Loads, expects a refusal in one line, and returns it.
  std::string refusal() {
    const auto loaded = FileSigningKeys(folder_).load(kDomain);
    EXPECT_FALSE(loaded.has_value());
    if (loaded) return {};
    EXPECT_EQ(loaded.error().code, ErrorCode::InvalidConfiguration);
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
    EXPECT_EQ(loaded.error().message.find(folder_.string()), std::string::npos);
    return loaded.error().message;
  }
  /// The stored document with one member of one key replaced.
  void set(const char* purpose, const char* member, json::Value value) {
    json::Value document = json::parse(content()).value();
    document.as_object()->find("keys")->as_object()->find(purpose)->as_object()->set(member,
                                                                                     std::move(value));
    replace(json::write(document));
  }

  std::filesystem::path folder_;
};

TEST_F(KeyFiles, LoadsTheKeysThatWereMade) {
  FileSigningKeys store(folder_);
  const auto made = store.create(kDomain).value();
  const auto loaded = FileSigningKeys(folder_).load(kDomain).value();
  EXPECT_EQ(made->access_es256.algorithm(), jwt::Algorithm::es256);
  EXPECT_EQ(made->refresh_hs256.algorithm(), jwt::Algorithm::hs256);
  for (const auto key :
       {&SigningKeys::access_es256, &SigningKeys::access_hs256, &SigningKeys::refresh_hs256}) {
    EXPECT_EQ(((*made).*key).id(), ((*loaded).*key).id());
    EXPECT_EQ(((*made).*key).id().substr(0, 9), "01234567-");
    EXPECT_TRUE(((*loaded).*key).verify("data", ((*made).*key).sign("data")));
    EXPECT_TRUE(((*made).*key).verify("data", ((*loaded).*key).sign("data")));
  }
  EXPECT_FALSE(made->access_hs256.verify("data", made->refresh_hs256.sign("data"))) << "one key per purpose";
  const auto other = store.create("another_domain").value();
  EXPECT_NE(other->access_es256.id(), made->access_es256.id());
}

TEST_F(KeyFiles, MakesFilesForTheOwnerAlone) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat((folder_ / "keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  const auto files = std::filesystem::directory_iterator(folder_ / "keys");
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "no temporary file is left";
}

TEST_F(KeyFiles, NeverReplacesKeys) {
  FileSigningKeys store(folder_);
  ASSERT_TRUE(store.create(kDomain).has_value());
  const std::string before = content();
  const auto again = store.create(kDomain);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(content(), before);
}

TEST_F(KeyFiles, GoesOnAfterACrashThatLeftATemporaryFile) {
  std::filesystem::create_directory(folder_ / "keys");
  ::chmod((folder_ / "keys").c_str(), 0700);
  std::ofstream(file().string() + ".new") << "half";
  EXPECT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  EXPECT_TRUE(FileSigningKeys(folder_).load(kDomain).has_value());
}

TEST_F(KeyFiles, ReportsAFolderThatCannotBeUsed) {
  std::vector<std::string> lines;
  FileSigningKeys store(folder_ / "missing", [&](std::string_view line) { lines.emplace_back(line); });
  const auto made = store.create(kDomain);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(lines.size(), 1U);
  std::filesystem::create_directory(folder_ / "keys");
  ::chmod((folder_ / "keys").c_str(), 0750);
  EXPECT_FALSE(FileSigningKeys(folder_).create(kDomain).has_value());
}

TEST_F(KeyFiles, RefusesNamesThatLeaveTheFolder) {
  FileSigningKeys store(folder_);
  for (const std::string& name : {std::string("../x"), std::string(""), std::string("a/b"),
                                  std::string("a.b"), std::string("a\0b", 3), std::string(65, 'a')}) {
    EXPECT_FALSE(store.create(name).has_value());
    EXPECT_FALSE(store.load(name).has_value());
    store.remove(name);
  }
  EXPECT_TRUE(store.create(std::string(64, 'a')).has_value());
}

TEST_F(KeyFiles, RemovesForGood) {
  FileSigningKeys store(folder_);
  ASSERT_TRUE(store.create(kDomain).has_value());
  store.remove(kDomain);
  EXPECT_NE(refusal().find("missing"), std::string::npos);
  store.remove(kDomain);
  EXPECT_TRUE(store.create(kDomain).has_value());
}

TEST_F(KeyFiles, RefusesAFileThatOthersMayRead) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    ::chmod(file().c_str(), mode);
    EXPECT_NE(refusal().find("other users"), std::string::npos);
  }
  ::chmod(file().c_str(), 0400);
  EXPECT_TRUE(FileSigningKeys(folder_).load(kDomain).has_value());
}

TEST_F(KeyFiles, RefusesALinkOrAFolderInPlaceOfTheFile) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  const std::filesystem::path moved = folder_ / "keys" / "moved";
  std::filesystem::rename(file(), moved);
  std::filesystem::create_symlink(moved, file());
  refusal();
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  refusal();
}

TEST_F(KeyFiles, RefusesEveryTruncation) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  const std::string whole = content();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    replace(whole.substr(0, size));
    ASSERT_FALSE(refusal().empty()) << size;
  }
  replace(whole);
  EXPECT_TRUE(FileSigningKeys(folder_).load(kDomain).has_value());
  replace(whole + std::string(64 * 1024, ' '));
  EXPECT_NE(refusal().find("too large"), std::string::npos);
}

TEST_F(KeyFiles, RefusesShortAndMadeUpSecrets) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  for (const char* purpose : {"access_hs256", "refresh_hs256"}) {
    const std::string whole = content();
    set(purpose, "secret", crypto::base64url_encode(crypto::random_bytes(31)));
    EXPECT_NE(refusal().find("less than 32 bytes"), std::string::npos);
    for (const std::string& made_up :
         {std::string(32, '\0'), std::string(32, '\xff'), std::string("change me, I am the default key!"),
          std::string(64, 'a')}) {
      set(purpose, "secret", crypto::base64url_encode(made_up));
      EXPECT_NE(refusal().find("not random"), std::string::npos);
    }
    set(purpose, "secret", "not base64url!");
    EXPECT_NE(refusal().find("base64url"), std::string::npos);
    set(purpose, "secret", nullptr);
    refusal();
    replace(whole);
  }
  set("access_hs256", "secret", crypto::base64url_encode(crypto::random_bytes(32)));
  EXPECT_TRUE(FileSigningKeys(folder_).load(kDomain).has_value());
}

TEST_F(KeyFiles, RefusesAnotherAlgorithmOrAPublicKey) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  const std::string whole = content();
  for (const char* purpose : {"access_es256", "access_hs256", "refresh_hs256"}) {
    for (const char* alg : {"none", "HS512", "RS256", "es256", ""}) {
      set(purpose, "alg", alg);
      EXPECT_NE(refusal().find("algorithm"), std::string::npos) << purpose << " " << alg;
    }
    replace(whole);
    set(purpose, "kid", "");
    EXPECT_NE(refusal().find("kid"), std::string::npos);
    replace(whole);
  }
  set("access_es256", "pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_NE(refusal().find("private key"), std::string::npos);
}

TEST_F(KeyFiles, RefusesOneSecretOrIdForTwoPurposes) {
  ASSERT_TRUE(FileSigningKeys(folder_).create(kDomain).has_value());
  const json::Value document = json::parse(content()).value();
  const json::Value access = *document.find("keys")->find("access_hs256");
  const std::string whole = content();
  set("refresh_hs256", "secret", *access.find("secret"));
  EXPECT_NE(refusal().find("two purposes"), std::string::npos);
  replace(whole);
  set("refresh_hs256", "kid", *access.find("kid"));
  EXPECT_NE(refusal().find("twice"), std::string::npos);
}

TEST(KeyDocument, TakesRandomBytesForRandom) {
  for (int i = 0; i < 1'000; ++i) ASSERT_FALSE(looks_made_up(crypto::random_bytes(32)));
}

TEST(KeyDocument, RefusesAVersionItDoesNotKnow) {
  EXPECT_FALSE(read_keys(R"({"version":2,"keys":{}})").has_value());
  EXPECT_FALSE(read_keys(R"({"keys":{}})").has_value());
  EXPECT_FALSE(read_keys("[]").has_value());
}

}  // namespace
}  // namespace keyturn::server::key_files
