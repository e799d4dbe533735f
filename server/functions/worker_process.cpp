// SPDX-License-Identifier: Apache-2.0
#include "server/functions/worker_process.hpp"

#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/json/json.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::functions {
namespace {

constexpr int kWorkerSocket = 3;
constexpr int kLeastPriority = 19;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

// Runs the text of descriptor 0 as a function of (require, process): a file would have to be readable for the
// worker's user, and Landlock would have to know it.
constexpr std::string_view kBootstrap =
    "new (require('vm').Script)('(require,process)=>{'+require('fs').readFileSync(0,'utf8')+'\\n}',"
    "{filename:'worker.js'}).runInThisContext()(require,process)";

Error cannot_start(const std::string& what) {
  return refusal(ErrorCode::ServiceUnavailable, "a function worker could not be started: " + what + ": " +
                                                    std::generic_category().message(errno));
}

class File {
 public:
  explicit File(int number) : number_(number) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// A file in memory with that content, its position at the start, above the numbers that the worker uses.
int file_of(std::string_view content) {
  const File file(static_cast<int>(::syscall(SYS_memfd_create, "function-worker", MFD_CLOEXEC)));
  if (file.get() < 0) return -1;
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written <= 0) return -1;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return -1;
  return ::fcntl(file.get(), F_DUPFD_CLOEXEC, kWorkerSocket + 1);
}

/// Signals as in a fresh process: the server blocks some, and a worker would inherit that.
void set_attributes(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int spawn(const std::vector<std::string>& words, int program, int socket, pid_t& pid) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char* no_environment[] = {nullptr};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  set_attributes(attributes);
  ::posix_spawn_file_actions_adddup2(&files, program, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, socket, kWorkerSocket);
  const int fault =
      ::posix_spawn(&pid, words[0].c_str(), &files, &attributes, arguments.data(), no_environment);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return fault;
}

Result<std::string> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || content.empty()) {
    return Error(ErrorCode::InvalidConfiguration, "cannot read the function worker's program " + path);
  }
  return content;
}

/// How long poll may wait: rounded up, so that a deadline has passed when it returns 0.
int milliseconds_until(BootTime deadline, const Clock& clock) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.boot_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

std::vector<std::string> default_node_flags() {
  // No wasm flag: Node.js 18 does not start with frozen intrinsics and without WebAssembly.
  return {"--max-old-space-size=128",
          "--no-addons",
          "--disallow-code-generation-from-strings",
          "--frozen-intrinsics",
          "--disable-proto=delete",
          "--no-warnings",
          "--v8-pool-size=1"};
}

Result<std::string> load_worker_program(const std::string& folder) {
  std::string realm = "(() => { 'use strict';\n";
  for (const char* name : {"/bytes.js", "/bson.js", "/ejson_read.js", "/ejson.js", "/buffer.js", "/crypto.js",
                           "/node_crypto.js", "/node_zlib.js", "/globals.js", "/events.js", "/streams.js",
                           "/modules.js", "/collection.js", "/context.js", "/realm.js"}) {
    auto part = content_of(folder + name);
    if (!part) return part.error();
    realm += *part;
  }
  realm += "})()";
  std::string program = "'use strict';const kRealm=" + json::write(realm) + ";\n";
  for (const char* name : {"/host_tools.js", "/worker.js"}) {
    auto part = content_of(folder + name);
    if (!part) return part.error();
    program += *part;
  }
  return program;
}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerCommand& command) {
  const File program(file_of(command.program));
  if (program.get() < 0) return cannot_start("memory file");
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return cannot_start("socket");
  File ours(pair[0]);
  const File lower(pair[1]);
  // Above the worker's own numbers, or dup2 onto itself would leave it to be closed at exec.
  const File theirs(::fcntl(lower.get(), F_DUPFD_CLOEXEC, kWorkerSocket + 1));
  if (theirs.get() < 0 || ::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return cannot_start("socket");
  std::vector<std::string> words{command.launcher, std::to_string(::getpid()),
                                 std::to_string(command.data_limit_bytes), command.node};
  words.insert(words.end(), command.node_flags.begin(), command.node_flags.end());
  words.emplace_back("-e");
  words.emplace_back(kBootstrap);
  pid_t pid = 0;
  if (const int fault = spawn(words, program.get(), theirs.get(), pid); fault != 0) {
    errno = fault;
    return cannot_start(command.launcher);
  }
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(pid, ours.release()));
}

WorkerProcess::~WorkerProcess() {
  kill();
  ::close(socket_);
  static_cast<void>(try_reap());
}

WorkerProcess::Io WorkerProcess::send(std::string_view bytes, BootTime deadline, const Clock& clock) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return Io::closed;
    pollfd wait{socket_, POLLOUT, 0};
    const int ready = ::poll(&wait, 1, milliseconds_until(deadline, clock));
    if (ready == 0) return Io::late;
    if (ready > 0 && (wait.revents & POLLOUT) == 0) return Io::closed;
  }
  return Io::done;
}

std::optional<WorkerProcess::Io> WorkerProcess::take(WorkerMessage& message) {
  std::array<char, kReadBytes> bytes;
  for (;;) {
    if (const auto text = reader_.next()) {
      auto parsed = parse_message(*text);
      if (!parsed) return Io::malformed;
      message = *std::move(parsed);
      return Io::done;
    }
    if (reader_.is_broken()) return Io::malformed;
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      reader_.append({bytes.data(), static_cast<std::size_t>(got)});
    } else if (got < 0 && errno == ECONNRESET) {
      return Io::unread;  // what unix(7) sockets say when the peer left bytes behind
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      return Io::closed;
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
}

WorkerProcess::Io WorkerProcess::receive(WorkerMessage& message, BootTime deadline, const Clock& clock) {
  for (;;) {
    if (const auto taken = take(message)) return *taken;
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, milliseconds_until(deadline, clock)) == 0) return Io::late;
  }
}

WorkerProcess::Io WorkerProcess::receive_now(WorkerMessage& message) {
  return take(message).value_or(Io::late);
}

void WorkerProcess::kill() noexcept {
  if (!is_reaped_) ::kill(pid_, SIGKILL);
}

bool WorkerProcess::try_reap() noexcept {
  if (!is_reaped_ && ::waitpid(pid_, &exit_status_, WNOHANG) != 0) is_reaped_ = true;
  return is_reaped_;
}

std::size_t WorkerProcess::data_bytes() const {
  // proc(5): size resident shared text lib data dt, in pages.
  const int file = ::open(("/proc/" + std::to_string(pid_) + "/statm").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t got = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  unsigned long pages = 0;
  if (got <= 0 || std::sscanf(text.data(), "%*u %*u %*u %*u %*u %lu", &pages) != 1) return 0;
  return std::size_t{pages} * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void WorkerProcess::leave_one_processor() const {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) ++first;
  CPU_CLR(first, &allowed);
  // Each thread for itself; those that come later have it from these. A worker that is gone has none, and may
  // go while they are counted.
  std::error_code error;
  std::filesystem::directory_iterator thread("/proc/" + std::to_string(pid_) + "/task", error);
  for (; !error && thread != std::filesystem::directory_iterator(); thread.increment(error)) {
    const int id = std::atoi(thread->path().filename().c_str());
    static_cast<void>(::sched_setaffinity(id, sizeof allowed, &allowed));
  }
}

// The process id is the id of its first thread, and niceness is a thread's own.
void WorkerProcess::step_back() noexcept {
  own_priority_ = ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid_));
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), kLeastPriority);
}

bool WorkerProcess::step_forward() const noexcept {
  return ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), own_priority_) == 0;
}

}  // namespace keyturn::server::functions
