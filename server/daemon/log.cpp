// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "core/base/thread_name.hpp"
#include "core/json/json.hpp"

namespace keyturn::server::daemon {
namespace {

constexpr std::size_t kMostWaitingBytes = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds kPace{10};  // lines of this long are written together
constexpr std::size_t kLongestText = 512;       // of one field: a path may be anything a client sends

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

void append_time(std::string& out, WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(now - day));
  std::array<char, 48> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

/// Gathers lines and writes them from a thread of its own.
class BatchSink final : public spdlog::sinks::sink {
 public:
  explicit BatchSink(int descriptor) : descriptor_(descriptor), thread_([this] { work(); }) {}
  BatchSink(const BatchSink&) = delete;
  BatchSink& operator=(const BatchSink&) = delete;
  ~BatchSink() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void log(const spdlog::details::log_msg& message) override {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() + message.payload.size() > kMostWaitingBytes) {
        ++dropped_;
        return;
      }
      was_empty = waiting_.empty();
      waiting_.append(message.payload.data(), message.payload.size());
      waiting_ += '\n';
    }
    if (was_empty) wake_.notify_one();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  void work() {
    name_thread("log");
    std::string batch;
    std::unique_lock lock(mutex_);
    while (!stopped_ || !waiting_.empty()) {
      wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
      batch.clear();
      batch.swap(waiting_);
      if (dropped_ > 0) {
        batch += R"({"level":"warning","message":"log lines were dropped","count":)" +
                 std::to_string(dropped_) + "}\n";
        dropped_ = 0;
      }
      lock.unlock();
      write_all(batch);
      lock.lock();
      wake_.wait_for(lock, kPace, [this] { return stopped_; });
    }
  }

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nobody reads: there is no place left to say so
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const int descriptor_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  std::size_t dropped_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace

LogLevel log_level_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return LogLevel::info;
}

std::string log_line(WallTime now, LogLevel level, std::string_view message, Log::Fields fields) {
  std::string line;
  line.reserve(256);
  line += R"({"time":")";
  append_time(line, now);
  line += R"(","level":")";
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += R"(","message":)";
  json::append_quoted(line, message.substr(0, kLongestText));
  for (const auto& [name, value] : fields) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text != nullptr && text->empty()) continue;
    line += ",\"";
    line += name;
    line += "\":";
    if (text != nullptr) {
      json::append_quoted(line, text->substr(0, kLongestText));
    } else {
      line += std::to_string(std::get<std::int64_t>(value));
    }
  }
  line += '}';
  return line;
}

Log::Log(int descriptor, LogLevel level, Clock& clock)
    : level_(level),
      clock_(clock),
      logger_(std::make_shared<spdlog::logger>("keyturnd", std::make_shared<BatchSink>(descriptor))) {
  logger_->set_level(spdlog::level::trace);  // `level_` decides
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const WallTime now = clock_.wall_now();
  const std::string line = log_line(now, level, message, fields);
  // The time is given, so that no other clock is read.
  logger_->log(std::chrono::system_clock::time_point(now.time_since_epoch()), spdlog::source_loc{},
               spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace keyturn::server::daemon
