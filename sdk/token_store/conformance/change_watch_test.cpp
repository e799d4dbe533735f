// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/change_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>

#include "core/crypto/crypto.hpp"

namespace keyturn::sdk {
namespace {

class ChangeWatchTest : public ::testing::Test {
 protected:
  ~ChangeWatchTest() override { std::filesystem::remove(file); }
  /// As a step of a process does with the guard file.
  void write_and_close() const {
    const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(opened, 0);
    ::close(opened);
  }
  static bool readable(int descriptor) {
    pollfd waited{descriptor, POLLIN, 0};
    return ::poll(&waited, 1, 0) == 1;
  }

  const std::filesystem::path file = std::filesystem::temp_directory_path() /
                                     ("keyturn-watch-" + crypto::hex_encode(crypto::random_bytes(8)));
  ChangeWatch watch{file.string()};
};

TEST_F(ChangeWatchTest, TellsOfEachClose) {
  write_and_close();
  const int descriptor = watch.descriptor();
  ASSERT_GE(descriptor, 0);
  EXPECT_FALSE(readable(descriptor));
  write_and_close();
  EXPECT_TRUE(readable(descriptor));
  watch.drain();
  EXPECT_FALSE(readable(descriptor));
  EXPECT_EQ(watch.descriptor(), descriptor);
}

TEST_F(ChangeWatchTest, WatchesAFileThatIsDeletedAndMadeAgain) {
  write_and_close();
  const int descriptor = watch.descriptor();
  const int held = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);  // the old file lives on meanwhile
  std::filesystem::remove(file);
  ASSERT_TRUE(readable(descriptor)) << "the loss goes unnoticed";
  watch.drain();
  EXPECT_EQ(watch.descriptor(), -1) << "there is nothing to watch";
  write_and_close();
  EXPECT_EQ(watch.descriptor(), descriptor);
  watch.drain();
  EXPECT_EQ(watch.descriptor(), descriptor);
  write_and_close();
  EXPECT_TRUE(readable(descriptor));
  ::close(held);
}

TEST_F(ChangeWatchTest, TriesAgainWhenThereWasNoWatchToBeHad) {
  EXPECT_EQ(watch.descriptor(), -1);
  write_and_close();
  EXPECT_GE(watch.descriptor(), 0);
}

}  // namespace
}  // namespace keyturn::sdk
