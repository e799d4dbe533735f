// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/base/processor_time.hpp"
#include "server/functions/frame.hpp"

namespace keyturn::server::functions {

/// How workers are started.
struct WorkerCommand {
  std::string launcher;  ///< Path of keyturn-function-launcher.
  std::string node;      ///< Path of Node.js 18 or later; symbolic links are followed.
  std::string program;   ///< The worker's whole program (`load_worker_program`).
  std::vector<std::string> node_flags;
  std::uint64_t data_limit_bytes = std::uint64_t{384} * 1024 * 1024;
};

/// The flags that Node.js 18 and 20 both start with.
[[nodiscard]] std::vector<std::string> default_node_flags();
/// Puts the program together from the files of function_host. Errors: `InvalidConfiguration`.
[[nodiscard]] Result<std::string> load_worker_program(const std::string& folder);

/// One sandboxed process and the server's end of its socket.
///
/// Thread safety: one user at a time, but `kill`, `processor_time` and `step_back` from any thread while
/// `try_reap` has not said true.
/// Lifetime: the destructor kills, and reaps without waiting.
class WorkerProcess {
 public:
  /// Must be called on a thread that outlives the worker: the kernel kills the worker when it ends.
  /// Errors: `ServiceUnavailable`.
  static Result<std::unique_ptr<WorkerProcess>> start(const WorkerCommand& command);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  /// `unread`: closed, and the process had not read all that was sent to it.
  enum class Io { done, closed, unread, late, malformed };
  /// Writes all of it. `late`: the deadline passed.
  [[nodiscard]] Io send(std::string_view bytes, BootTime deadline, const Clock& clock);
  /// Waits for the next message. Messages that came before the deadline are given out after it too.
  [[nodiscard]] Io receive(WorkerMessage& message, BootTime deadline, const Clock& clock);
  /// As `receive`, without waiting: `late` means that there is none yet.
  [[nodiscard]] Io receive_now(WorkerMessage& message);

  void kill() noexcept;
  /// True once the process is gone; its exit status is then known.
  [[nodiscard]] bool try_reap() noexcept;
  [[nodiscard]] int exit_status() const noexcept { return exit_status_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int socket() const noexcept { return socket_; }
  /// Whether the worker was already sent the source with that hash; from now on it was.
  [[nodiscard]] bool note_source(const std::string& hash) { return !sources_.insert(hash).second; }
  [[nodiscard]] std::size_t source_count() const noexcept { return sources_.size(); }
  /// The data of the process, of which the data limit allows so much: what a call left behind, garbage that
  /// was not collected yet included. 0 when it cannot be read.
  [[nodiscard]] std::size_t data_bytes() const;
  /// What the process has calculated in its life. 0 when it is gone.
  [[nodiscard]] std::chrono::nanoseconds processor_time() const noexcept { return processor_time_of(pid_); }
  /// Leaves one processor to the server, the first that it may use, as the hashing of passwords does (rule
  /// V15): on one that functions fill, whatever their niceness, an answer waits for what the scheduler owes
  /// to them. Where there is only one, they share it. Not before a start that somebody waits for is over.
  void leave_one_processor() const;
  /// Puts the thread that runs functions behind those of other workers for the processor.
  void step_back() noexcept;
  /// Takes that back. False: only root may, and the worker stays behind. Never at once with `step_back`.
  [[nodiscard]] bool step_forward() const noexcept;

 private:
  WorkerProcess(pid_t pid, int socket) : pid_(pid), socket_(socket) {}
  /// Reads what is there. Nothing: no message yet and the socket is open.
  [[nodiscard]] std::optional<Io> take(WorkerMessage& message);

  const pid_t pid_;
  const int socket_;
  FrameReader reader_;
  std::set<std::string> sources_;
  int own_priority_ = 0;  ///< Before it stepped back.
  bool is_reaped_ = false;
  int exit_status_ = 0;
};

}  // namespace keyturn::server::functions
