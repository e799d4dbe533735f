// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/email_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server::daemon {
namespace {

class EmailFolderTest : public ::testing::Test {
 protected:
  EmailFolderTest() : log_(STDERR_FILENO, LogLevel::error, clock_) {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-email-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~EmailFolderTest() override { std::filesystem::remove_all(folder_); }
  std::vector<std::filesystem::path> files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) found.push_back(entry.path());
    return found;
  }

  testing::FakeClock clock_;
  Log log_;
  std::filesystem::path folder_;
};

TEST_F(EmailFolderTest, WritesEachMessageToAFileOfItsOwn) {
  EmailFolder sender(folder_ / "mail", clock_, log_);
  ASSERT_TRUE(sender.send({"a@b.c", "Confirm\r\nBcc: x@y.z", "Open this:\nhttp://h/"}));
  ASSERT_TRUE(sender.send({"a@b.c", "Confirm", "again"}));
  const auto found = files(folder_ / "mail");
  ASSERT_EQ(found.size(), 2U);
  bool seen = false;
  for (const auto& path : found) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(path.extension(), ".eml");
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    seen = seen || text == "To: a@b.c\nSubject: Confirm  Bcc: x@y.z\n\nOpen this:\nhttp://h/\n";
  }
  EXPECT_TRUE(seen);
}

TEST_F(EmailFolderTest, SaysWhenItCannotWrite) {
  std::ofstream(folder_ / "file") << "not a folder";
  EmailFolder sender(folder_ / "file", clock_, log_);
  const Result<void> sent = sender.send({"a@b.c", "s", "b"});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::ServiceUnavailable);
}

}  // namespace
}  // namespace keyturn::server::daemon
