// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/domain/apps/app_store.hpp"
#include "server/domain/ports.hpp"
#include "server/functions/call_limits.hpp"
#include "server/functions/function_catalog.hpp"
#include "server/functions/function_host.hpp"
#include "server/functions/package_folder.hpp"
#include "server/functions/worker_pool.hpp"

namespace keyturn::server::functions {

struct RuntimeOptions {
  std::string node = "/usr/bin/node";
  std::string launcher;       ///< Path of keyturn-function-launcher.
  std::string function_host;  ///< Folder of worker.js.
  /// Folder of `<app id>/node_modules`, what an app's functions may `require`; empty: no packages.
  std::string packages;
  std::vector<std::string> node_flags = default_node_flags();
  std::uint64_t data_limit_bytes = std::uint64_t{384} * 1024 * 1024;
  PoolOptions pool;
  std::size_t calls_per_app = 64;  ///< Running and waiting together.
  std::size_t calls_per_user = 16;
  std::size_t running_per_user = 2;  ///< Of one app's workers; the user's other calls wait.
  int max_depth = 5;                 ///< Calls of `context.functions.execute` within each other.
  std::size_t max_requests = 1'000;  ///< Questions of one call to the server (functions.md 6).
  std::chrono::milliseconds queue_deadline{10'000};
  std::chrono::seconds default_time_limit{90};
  std::chrono::seconds longest_time_limit{300};
};

/// Runs an app's JavaScript functions in sandboxed Node.js processes.
///
/// A call lasts at most the queue's deadline and the time limit. Lifetime: `apps`, `host` and `clock` outlive
/// it; no call may be under way at destruction.
class NodeFunctionRuntime final : public FunctionRuntime {
 public:
  /// `host` may be null: functions then reach no values and no services.
  /// Errors: `InvalidConfiguration` when a file is missing.
  static Result<std::unique_ptr<NodeFunctionRuntime>> create(RuntimeOptions options, AppStore& apps,
                                                             FunctionHost* host, Clock& clock);

  FunctionOutcome execute(const App& app, const FunctionCall& call) override;

  /// The server stops: calls that still run at that time are ended with `ServiceUnavailable`, and none begins
  /// after it.
  void finish_by(BootTime deadline) { pool_.finish_by(deadline); }

  [[nodiscard]] const WorkerPool& pool() const noexcept { return pool_; }

 private:
  struct Frame;
  NodeFunctionRuntime(RuntimeOptions options, WorkerCommand command, AppStore& apps, FunctionHost* host,
                      Clock& clock);

  [[nodiscard]] FunctionOutcome execute_within(const Frame* outer, const App& app, const FunctionCall& call,
                                               BootTime queue_deadline);
  [[nodiscard]] Result<std::shared_ptr<const FunctionDefinition>> definition_for(const App& app,
                                                                                 const FunctionCall& call);
  /// Asks `can_evaluate`. Errors: `FunctionExecutionError` "rule not matched for function ...".
  [[nodiscard]] Result<void> ask_rule(const Frame& frame, const FunctionCall& call,
                                      const FunctionDefinition& function);
  /// Who the function runs as (functions.md 2).
  [[nodiscard]] Result<void> set_identity(const Frame* outer, Frame& frame, const FunctionCall& call,
                                          const FunctionDefinition& function, BootTime queue_deadline);
  [[nodiscard]] Result<json::Object> context_for(const Frame& frame, const FunctionCall& call);
  [[nodiscard]] Result<std::chrono::milliseconds> limit_for(const App& app);
  [[nodiscard]] bool converse(Frame& frame, WorkerPool::Lease& lease, FunctionOutcome& outcome);
  [[nodiscard]] json::Object answer(Frame& frame, WorkerRequest& request);
  [[nodiscard]] json::Object execute_nested(Frame& frame, WorkerRequest& request);

  const RuntimeOptions options_;
  FunctionHost* const host_;
  Clock& clock_;
  FunctionCatalog catalog_;
  CallLimits limits_;
  const PackageFolder packages_;
  std::atomic<std::int64_t> next_call_{1};
  WorkerPool pool_;
};

}  // namespace keyturn::server::functions
