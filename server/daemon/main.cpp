// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <system_error>

#include "server/daemon/email_folder.hpp"
#include "server/daemon/end_sessions.hpp"
#include "server/daemon/log.hpp"
#include "server/daemon/options.hpp"
#include "server/daemon/server.hpp"

// Exit status: 0 after a stop that was asked for, 1 when the server cannot start, 2 for a wrong command line.
namespace keyturn::server::daemon {
namespace {

constexpr int kCannotStart = 1;
constexpr int kWrongUsage = 2;
constexpr unsigned kStopAtLatestAfterSeconds = 15;

int refuse(const std::string& line) {
  std::fprintf(stderr, "keyturnd: %s\n", line.c_str());
  return kCannotStart;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

/// The options of one command, bound to where their values go.
class OptionArguments {
 public:
  explicit OptionArguments(CLI::App& command) {
    command
        .add_option("--config", config_,
                    "Configuration file: a JSON object with the options' names, such as \"public_url\"")
        ->type_name("FILE");
    for (const OptionSpec& spec : option_specs()) {
      Slot& slot = slots_.emplace_back();
      slot.spec = &spec;
      const std::string help = std::string(spec.help) + " [" + environment_name(spec.name) + "]";
      if (spec.kind == OptionKind::flag) {
        slot.option = command.add_flag(command_line_name(spec.name), slot.flag, help);
      } else {
        slot.option = command.add_option(command_line_name(spec.name), slot.text, help)
                          ->type_name(std::string(spec.value_name));
      }
    }
  }

  [[nodiscard]] Result<Config> config() const {
    OptionValues from_file;
    const std::string file = config_.empty() ? environment("KEYTURN_CONFIG").value_or("") : config_;
    if (!file.empty()) {
      Result<OptionValues> read = values_from_file(file);
      if (!read) return read.error();
      from_file = *read;
    }
    OptionValues from_command_line;
    for (const Slot& slot : slots_) {
      if (slot.option->count() == 0) continue;
      const bool is_flag = slot.spec->kind == OptionKind::flag;
      from_command_line[std::string(slot.spec->name)] = is_flag ? (slot.flag ? "true" : "false") : slot.text;
    }
    return make_config(merge(from_file, values_from_environment(environment), from_command_line));
  }

 private:
  struct Slot {
    const OptionSpec* spec = nullptr;
    CLI::Option* option = nullptr;
    std::string text;
    bool flag = false;
  };
  std::string config_;
  std::deque<Slot> slots_;
};

void prepare_process() {
  ::umask(077);
  ::mallopt(M_ARENA_MAX, 2);  // an arena per thread would cost memory and gain nothing here
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

int serve(const OptionArguments& arguments) {
  const Result<Config> config = arguments.config();
  if (!config) return refuse(config.error().message);
  // Blocked before any thread starts, so that the signal waits for sigwait.
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Clock& clock = system_clock();
  Log log(STDERR_FILENO, log_level_from(config->log_level), clock);
  const BootTime begin = clock.boot_now();
  const Secret admin_password{environment("KEYTURN_ADMIN_PASSWORD").value_or("")};
  ::unsetenv("KEYTURN_ADMIN_PASSWORD");
  Result<std::unique_ptr<Server>> started = Server::start(*config, admin_password, log, clock);
  if (!started) return refuse(started.error().message);
  Server& server = **started;

  if (const auto& admin = server.first_admin(); admin && !admin->generated_password.empty()) {
    const std::string_view password = admin->generated_password.reveal();
    std::printf("First administrator: %s password: %.*s\n", admin->email.c_str(),
                static_cast<int>(password.size()), password.data());
    std::fflush(stdout);
  }
  const bool is_v6 = config->address.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + config->address + "]" : config->address;
  const std::string url = "http://" + host + ":" + std::to_string(server.port());
  log.info("listening on " + url, {{"url", std::string_view(url)},
                                   {"start_up_us", std::int64_t{(clock.boot_now() - begin).count()}}});
  if (!config->port_file.empty() &&
      !write_file_whole(config->port_file, std::to_string(server.port()) + "\n")) {
    return refuse("option port_file: " + std::generic_category().message(errno));
  }

  int signal = 0;
  ::sigwait(&signals, &signal);
  log.info("stopping", {{"signal", std::int64_t{signal}}});
  // From here on a second signal, or a stop that hangs, ends the program at once.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::alarm(kStopAtLatestAfterSeconds);
  server.stop();
  log.info("stopped");
  return 0;
}

int check_config(const OptionArguments& arguments) {
  const Result<Config> config = arguments.config();
  if (!config) return refuse(config.error().message);
  std::puts("The configuration is valid.");
  return 0;
}

int end_sessions(const OptionArguments& arguments, bool new_keys) {
  const Result<Config> config = arguments.config();
  if (!config) return refuse(config.error().message);
  const Result<int> ended = end_every_session(*config, new_keys, system_clock());
  if (!ended) return refuse(ended.error().message);
  std::printf("%d sessions have ended%s.\n", *ended, new_keys ? ", and all apps have new signing keys" : "");
  return 0;
}

int run(int argc, char** argv) {
  prepare_process();
  CLI::App program("Keyturn's server: logs users in, keeps their sessions, issues and refreshes their tokens",
                   "keyturnd");
  program.set_version_flag("--version", std::string("keyturnd ") + KEYTURN_VERSION);
  program.require_subcommand(1);
  program.footer(
      "An option stands on the command line, in the environment (the name in brackets) or in the "
      "configuration file; "
      "the earlier wins.");
  CLI::App* serve_command = program.add_subcommand("serve", "Run the server until SIGTERM or SIGINT");
  CLI::App* check_command =
      program.add_subcommand("check-config", "Check the options of serve, and do nothing");
  CLI::App* end_command = program.add_subcommand(
      "end-sessions",
      "End all sessions of all apps, while the server is stopped: after a backup was put back in place");
  bool new_keys = false;
  end_command->add_flag("--new-keys", new_keys,
                        "Make new signing keys, too: when the old ones may be known to others");
  const OptionArguments end_arguments(*end_command);
  const OptionArguments serve_arguments(*serve_command);
  const OptionArguments check_arguments(*check_command);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kWrongUsage;
  }
  if (*end_command) return end_sessions(end_arguments, new_keys);
  return *serve_command ? serve(serve_arguments) : check_config(check_arguments);
}

}  // namespace
}  // namespace keyturn::server::daemon

int main(int argc, char** argv) { return keyturn::server::daemon::run(argc, argv); }
