// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/cluster.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "server/domain/refusal.hpp"

namespace keyturn::server::mongodb {
namespace {

struct DestroyUri {
  void operator()(mongoc_uri_t* uri) const noexcept { mongoc_uri_destroy(uri); }
};

/// What the library would write to the standard error output may name hosts: errors are answered instead.
void discard(mongoc_log_level_t, const char*, const char*, void*) {}

void start_library() {
  static const bool kStarted = [] {
    mongoc_init();
    mongoc_log_set_handler(discard, nullptr);
    return true;
  }();
  static_cast<void>(kStarted);
}

Error away(const char* text) { return refusal(ErrorCode::ServiceUnavailable, 503, text); }

std::int32_t milliseconds(std::chrono::milliseconds time) { return static_cast<std::int32_t>(time.count()); }

/// Codes of a server that is not, or no longer, the one to ask (MongoDB's error codes: HostUnreachable,
/// HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, SocketException, NotWritablePrimary,
/// InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary).
bool is_about_the_server(std::uint32_t code) {
  constexpr std::array<std::uint32_t, 11> kCodes{6,      7,      89,     91,     189,   9'001,
                                                 10'107, 11'600, 11'602, 13'435, 13'436};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

bool is_duplicate_key(std::uint32_t code) { return code == 11'000 || code == 11'001 || code == 12'582; }

Error answered(const bson_error_t& error) {
  std::string text = is_duplicate_key(error.code) ? "Duplicate key error: " : "";
  text += error.message;
  return refusal(ErrorCode::MongoDBError, text + " (code " + std::to_string(error.code) + ")");
}

}  // namespace

Result<std::shared_ptr<Cluster>> Cluster::open(const Secret& connection_string, const ClusterOptions& options,
                                               Clock& clock) {
  start_library();
  // The texts of the library's errors repeat parts of the string.
  const auto invalid = [] { return away("the service's connection string is no valid one of MongoDB"); };
  const std::string text(connection_string.reveal());
  if (text.find('\0') != std::string::npos) return invalid();
  bson_error_t error{};
  const std::unique_ptr<mongoc_uri_t, DestroyUri> uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) return invalid();
  if (mongoc_uri_has_option(uri.get(), MONGOC_URI_TLSCERTIFICATEKEYFILE)) {
    return away("the service's connection string may not name a key file of the server");
  }
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                 milliseconds(options.connect));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, milliseconds(options.connect));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, milliseconds(options.answer));
  mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_WAITQUEUETIMEOUTMS, milliseconds(options.queue));
  mongoc_client_pool_t* const pool = mongoc_client_pool_new_with_error(uri.get(), &error);
  if (pool == nullptr) return invalid();
  mongoc_client_pool_max_size(pool, options.connections);
  mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
  mongoc_client_pool_set_appname(pool, "keyturn");
  return std::shared_ptr<Cluster>(new Cluster(pool, options, clock));
}

Cluster::~Cluster() { mongoc_client_pool_destroy(pool_); }

Result<Cluster::Lease> Cluster::lease() {
  if (clock_.boot_now() < away_until_.load()) return away("the linked cluster cannot be reached");
  Lease lease(mongoc_client_pool_pop(pool_), GiveBack{pool_});
  if (!lease) return away("all connections to the linked cluster are in use");
  return lease;
}

Error Cluster::fault(const bson_error_t& error) {
  switch (error.domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
      if (is_about_the_server(error.code)) return away("the linked cluster is changing its primary");
      return answered(error);
    case MONGOC_ERROR_SERVER_SELECTION:
      away_until_ = clock_.boot_now() + options_.rest;
      return away("the linked cluster cannot be reached");
    case MONGOC_ERROR_CLIENT:
      if (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return away("the linked cluster does not accept the service's credentials");
      if (error.code == MONGOC_ERROR_CLIENT_SESSION_FAILURE) return answered(error);
      return away("the linked cluster cannot be used");
    case MONGOC_ERROR_SCRAM:
    case MONGOC_ERROR_SASL:
      return away("the linked cluster does not accept the service's credentials");
    case MONGOC_ERROR_STREAM:
    case MONGOC_ERROR_PROTOCOL:
    case MONGOC_ERROR_POOL:
      return away("the linked cluster did not answer");
    default:  // what the library itself refuses to send
      return refusal(ErrorCode::MongoDBError, error.message);
  }
}

}  // namespace keyturn::server::mongodb
