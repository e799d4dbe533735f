// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/server.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "server/api/api.hpp"
#include "server/api/watch_hub.hpp"
#include "server/daemon/email_folder.hpp"
#include "server/daemon/installed_parts.hpp"
#include "server/daemon/mongodb_module.hpp"
#include "server/daemon/own_origins.hpp"
#include "server/daemon/repeating_task.hpp"
#include "server/domain/accounts/api_key_service.hpp"
#include "server/domain/accounts/common_passwords.hpp"
#include "server/domain/accounts/password_service.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/apps/app_log.hpp"
#include "server/domain/apps/app_service.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/apps/logged_functions.hpp"
#include "server/domain/data/custom_user_data_claim.hpp"
#include "server/domain/data/document_service.hpp"
#include "server/domain/sessions/session_service.hpp"
#include "server/domain/stepping_clock.hpp"
#include "server/functions/app_function_host.hpp"
#include "server/functions/node_function_runtime.hpp"
#include "server/functions/package_folder.hpp"
#include "server/http/fetch.hpp"
#include "server/http/listener.hpp"
#include "server/identity/anonymous/anonymous_provider.hpp"
#include "server/identity/api_key/api_key_provider.hpp"
#include "server/identity/custom_function/function_provider.hpp"
#include "server/identity/external_jwt/jwt_provider.hpp"
#include "server/identity/password/password_provider.hpp"
#include "server/storage/key_files/key_files.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server::daemon {
namespace {

constexpr std::string_view kDefaultAdminEmail = "admin@keyturn.local";
constexpr std::size_t kPasswordBytes = 18;  // 24 characters of base64url
constexpr std::chrono::seconds kHousekeepingPause{5};
constexpr std::size_t kFreeMemoryKept = std::size_t{64} * 1024 * 1024;
// So that their answers are written before the listener's drain deadline.
constexpr std::chrono::seconds kFunctionsEndAfter{8};
constexpr std::chrono::milliseconds kWatchPause{250};  // a session that has ended is of no use a second later
constexpr int kAnonymousUsersPerTurn = 200;

class JwksDocuments final : public JwksFetcher {
 public:
  JwksDocuments(http::FetchOptions options, Clock& clock) : fetcher_(options, clock) {}
  Result<std::string> fetch(const std::string& url) override { return fetcher_.get(url); }

 private:
  http::Fetcher fetcher_;
};

/// Rule V15.
std::size_t most_password_threads() {
  return std::max<std::size_t>(1, std::max(1U, std::thread::hardware_concurrency()) - 1);
}

http::ListenerOptions listener_options(const Config& config) {
  http::ListenerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.threads = config.threads;
  options.trusted_proxies = config.trusted_proxies;
  options.password.threads = most_password_threads();
  return options;
}

http::FetchOptions fetch_options(const Config& config) {
  http::FetchOptions options;
  options.allow_private_addresses = config.allow_private_jwks;
  return options;
}

/// Null when functions cannot run here, which is said once.
std::unique_ptr<functions::NodeFunctionRuntime> make_function_runtime(const Config& config, AppStore& apps,
                                                                      functions::FunctionHost& host, Log& log,
                                                                      Clock& clock) {
  const auto without = [&log](const std::string& why) {
    log.warning("functions cannot run and answer 503", {{"cause", std::string_view(why)}});
    return nullptr;
  };
  const auto programs = find_function_programs(own_executable());
  if (!programs) return without(programs.error().message);
  functions::RuntimeOptions options;
  options.node = config.node.string();
  options.launcher = programs->launcher.string();
  options.function_host = programs->function_host.string();
  options.packages = (config.data / "packages").string();
  std::error_code fault;
  if (!std::filesystem::exists(config.node, fault)) return without("there is no " + options.node);
  auto runtime = functions::NodeFunctionRuntime::create(std::move(options), apps, &host, clock);
  if (!runtime) return without(runtime.error().message);
  return *std::move(runtime);
}

/// What reading a large body took stays with the allocator otherwise.
void give_memory_back() {
  if (::mallinfo2().fordblks > kFreeMemoryKept) ::malloc_trim(0);
}

void log_request(Log& log, const AccessRecord& record) {
  const LogLevel level = record.status >= 500 ? LogLevel::error : LogLevel::info;
  if (!log.enabled(level)) return;
  log.write(level, "request",
            {{"request_id", record.request_id},
             {"method", record.method},
             {"path", record.path},
             {"status", std::int64_t{record.status}},
             {"duration_us", std::int64_t{record.duration.count()}},
             {"app_id", record.app_id},
             {"error_code", record.error_code},
             {"reason", record.reason},
             {"detail", record.detail}});
}

void log_step(Log& log, const SteppingClock::Step& step) {
  log.error(step.believed ? "the clock of the machine was stepped, and is believed from now on"
                          : "the clock of the machine was stepped; the server goes on with its own",
            {{"seconds", std::int64_t{step.by.count()}}});
}

}  // namespace

/// In order of construction: each needs only what stands above it.
class Server::Parts {
 public:
  Parts(const Config& config, std::unique_ptr<sqlite::SqliteStores> stores, const mongodb::Module* mongodb,
        Log& log, Clock& machine_clock)
      : log_(log),
        address_(config.address),
        behind_unknown_proxy_(config.public_url.empty() && !config.trusted_proxies.empty()),
        clock_(machine_clock, [&log](const SteppingClock::Step& step) { log_step(log, step); }),
        stores_(std::move(stores)),
        keys_(config.data, [&log](std::string_view text) { log.error(text); }),
        directory_(stores_->apps(), keys_),
        email_(config.email_dir, clock_, log),
        jwks_(fetch_options(config), clock_),
        password_(stores_->passwords(), {}, &password_gate_),
        api_key_(stores_->api_keys()),
        external_jwt_(stores_->apps(), jwks_, clock_),
        clusters_(mongodb == nullptr ? nullptr : mongodb->linked_documents(stores_->apps(), clock_)),
        data_(stores_->apps(), stores_->documents(), stores_->users(), clock_, clusters_.get()),
        watches_(stores_->sessions(), clock_),
        function_host_(stores_->apps(), &stores_->users(), &data_),
        function_runtime_(make_function_runtime(config, stores_->apps(), function_host_, log, clock_)),
        functions_(function_runtime_.get(), app_log_, clock_),
        function_(&functions_, stores_->apps()),
        user_data_(data_, app_log_, clock_),
        guess_records_(stores_->apps()),
        guesses_(clock_, {}, &guess_records_),
        sessions_(directory_, stores_->sessions(), stores_->users(), clock_,
                  {&anonymous_, &password_, &api_key_, &external_jwt_, &function_}, &functions_, &user_data_,
                  &guesses_),
        users_(stores_->users(), clock_),
        passwords_(stores_->passwords(), stores_->users(), stores_->apps(), email_, &functions_, clock_, {},
                   &password_gate_, &guesses_),
        api_keys_(stores_->api_keys(), stores_->users(), clock_),
        apps_(directory_, stores_->apps(), clock_,
              config.allow_short_lifetimes ? LifetimeLimits::short_ones() : LifetimeLimits{}),
        packages_((config.data / "packages").string()),
        api_({directory_, apps_, sessions_, users_, passwords_, api_keys_, stores_->sessions(), clock_,
              &functions_, &data_, &app_log_, &watches_, &packages_},
             api_options(config)),
        listener_(api_, clock_, listener_options(config)) {}

  ~Parts() { stop(); }

  /// What a first start, or one after a first start that was cut short, must make.
  Result<void> prepare(const Config& config, const Secret& admin_password) {
    if (const auto loaded = directory_.load(); !loaded) return loaded.error();
    if (const auto made = apps_.ensure_admin_realm(); !made) return made.error();
    if (const auto loaded = guesses_.load(); !loaded) return loaded.error();
    const auto realm = directory_.admin_realm();
    const auto admins = users_.list(realm->app.id, PageRequest{"", false, 1});
    if (!admins) return admins.error();
    if (!admins->empty()) return {};

    FirstAdmin admin;
    admin.email = config.admin_email.empty() ? std::string(kDefaultAdminEmail) : config.admin_email;
    if (admin_password.empty()) {
      admin.generated_password = Secret(crypto::base64url_encode(crypto::random_bytes(kPasswordBytes)));
    }
    const Secret& password = admin_password.empty() ? admin.generated_password : admin_password;
    const auto created = passwords_.create_confirmed(*realm, admin.email, password.reveal());
    if (!created) {
      return Error(ErrorCode::InvalidConfiguration,
                   "the first administrator cannot be made: " + created.error().message);
    }
    if (is_common_password(password.reveal()))
      log_.warning("the first administrator's password is a common one: for tests only");
    first_admin_ = std::move(admin);
    return {};
  }

  Result<void> listen() {
    if (const auto started = listener_.start(); !started) return started.error();
    if (behind_unknown_proxy_)
      log_.warning(
          "trusted_proxies without public_url: bound sessions are refused, since this server does not "
          "know the address that its clients use");
    ready_ = true;
    housekeeping_.emplace("housekeeping", kHousekeepingPause, [this] { keep_house(); });
    watching_.emplace("watches", kWatchPause, [this] { watches_.tick(); });
    return {};
  }

  void stop() {
    ready_ = false;
    if (function_runtime_) function_runtime_->finish_by(clock_.boot_now() + kFunctionsEndAfter);
    listener_.stop();
    watching_.reset();
    if (!housekeeping_) return;
    housekeeping_->stop();
    housekeeping_.reset();
    write_uses();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.local_port(); }
  [[nodiscard]] const std::optional<FirstAdmin>& first_admin() const noexcept { return first_admin_; }

 private:
  ApiOptions api_options(const Config& config) {
    ApiOptions options;
    options.public_url = config.public_url;
    options.is_own_origin = [this](std::string_view origin) { return is_own(origin); };
    options.is_ready = [this] { return ready_.load(); };
    options.on_access = [&log = log_](const AccessRecord& record) { log_request(log, record); };
    return options;
  }

  /// Told once, since every client of such a set-up meets it.
  bool is_own(std::string_view origin) {
    std::call_once(origins_made_, [this] {  // by the first that asks: the port is known then
      origins_ = own_origins(address_, listener_.local_port(), interface_addresses());
    });
    if (origins_.contains(origin)) return true;
    if (!told_of_origin_.exchange(true))
      log_.warning(
          "a bound session is refused: its proof is for an address that this server does not know as "
          "its own; behind a reverse proxy, or by a name, set public_url",
          {{"origin", origin.substr(0, 200)}});
    return false;
  }

  void write_uses() {
    if (const auto done = sessions_.housekeeping(); !done)
      log_.error("housekeeping of sessions failed", {{"error", to_string(done.error().code)}});
  }

  void keep_house() {
    clock_.watch();
    write_uses();
    if (clusters_) clusters_->close_unlinked();
    give_memory_back();
    for (const auto& app : directory_.all()) {
      const auto removed = users_.remove_idle_anonymous(*app, kAnonymousUsersPerTurn);
      if (!removed) {
        log_.error("removing idle anonymous users failed", {{"error", to_string(removed.error().code)}});
      } else if (*removed > 0) {
        log_.info("idle anonymous users removed",
                  {{"app_id", app->app.id}, {"count", std::int64_t{*removed}}});
      }
    }
  }

  Log& log_;
  const std::string address_;
  const bool behind_unknown_proxy_;
  std::once_flag origins_made_;
  std::set<std::string, std::less<>> origins_;  // of `is_own`
  std::atomic<bool> told_of_origin_{false};
  SteppingClock clock_;
  std::atomic<bool> ready_{false};
  std::unique_ptr<sqlite::SqliteStores> stores_;
  key_files::FileSigningKeys keys_;
  AppDirectory directory_;
  EmailFolder email_;
  JwksDocuments jwks_;
  PasswordGate password_gate_{most_password_threads()};
  identity::AnonymousProvider anonymous_;
  identity::PasswordProvider password_;
  identity::ApiKeyProvider api_key_;
  identity::JwtProvider external_jwt_;
  AppLog app_log_;
  std::unique_ptr<LinkedDocuments> clusters_;
  DocumentService data_;
  WatchHub watches_;
  functions::AppFunctionHost function_host_;
  std::unique_ptr<functions::NodeFunctionRuntime> function_runtime_;
  LoggedFunctions functions_;
  identity::FunctionProvider function_;
  UserDataClaims user_data_;
  GuessRecords guess_records_;
  GuessLimiter guesses_;
  SessionService sessions_;
  UserService users_;
  PasswordService passwords_;
  ApiKeyService api_keys_;
  AppService apps_;
  functions::PackageFolder packages_;
  Api api_;
  http::Listener listener_;
  std::optional<RepeatingTask> housekeeping_;
  std::optional<RepeatingTask> watching_;
  std::optional<FirstAdmin> first_admin_;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Config& config, const Secret& admin_password, Log& log,
                                              Clock& clock) {
  sqlite::SqliteOptions options;
  options.folder = config.data;
  options.diagnostics = [&log](std::string_view text) { log.error(text); };
  options.clock = &clock;
  auto stores = sqlite::SqliteStores::open(options);
  if (!stores) return stores.error();
  const mongodb::Module* mongodb = nullptr;
  if (config.link_clusters) {
    const auto file = find_mongodb_module(own_executable());
    if (!file) return file.error();
    const auto loaded = load_mongodb_module(*file, KEYTURN_VERSION);
    if (!loaded) return loaded.error();
    mongodb = *loaded;
  }
  auto parts = std::make_unique<Parts>(config, std::move(*stores), mongodb, log, clock);
  if (const auto prepared = parts->prepare(config, admin_password); !prepared) return prepared.error();
  if (const auto listening = parts->listen(); !listening) return listening.error();
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::uint16_t Server::port() const noexcept { return parts_->port(); }
const std::optional<FirstAdmin>& Server::first_admin() const noexcept { return parts_->first_admin(); }
void Server::stop() { parts_->stop(); }

}  // namespace keyturn::server::daemon
