// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server::daemon {
namespace {

const WallTime kNow{std::chrono::microseconds(1'700'000'000'123'456)};

TEST(Log, WritesOneJsonObjectPerLine) {
  EXPECT_EQ(
      log_line(kNow, LogLevel::info, "request",
               {{"method", "GET"}, {"app_id", ""}, {"status", std::int64_t{200}}}),
      R"({"time":"2023-11-14T22:13:20.123Z","level":"info","message":"request","method":"GET","status":200})");
}

TEST(Log, EncodesWhatClientsSend) {
  EXPECT_EQ(log_line(kNow, LogLevel::warning, "x", {{"path", "/\"\n{\xff"}}),
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\",\"message\":\"x\",\"path\":\"/"
            "\\\"\\n{\xef\xbf\xbd\"}");
  EXPECT_LT(log_line(kNow, LogLevel::info, "x", {{"path", std::string(100'000, 'a')}}).size(), 1'000U);
}

TEST(Log, WritesWhatIsOfItsLevelBeforeItEnds) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  testing::FakeClock clock;
  {
    Log log(pipe_ends[1], LogLevel::info, clock);
    log.write(LogLevel::debug, "not this");
    log.info("first");
    log.error("second");
  }
  ::close(pipe_ends[1]);
  std::string text(4'096, '\0');
  const ssize_t size = ::read(pipe_ends[0], text.data(), text.size());
  ::close(pipe_ends[0]);
  ASSERT_GT(size, 0);
  text.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(text.find("not this"), std::string::npos);
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace keyturn::server::daemon
