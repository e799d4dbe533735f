// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/transaction.hpp"

#include "server/domain/refusal.hpp"

namespace keyturn::server::mongodb {
namespace {

struct DestroyOptions {
  void operator()(mongoc_transaction_opt_t* options) const noexcept {
    mongoc_transaction_opts_destroy(options);
  }
};
struct DestroyReadConcern {
  void operator()(mongoc_read_concern_t* concern) const noexcept { mongoc_read_concern_destroy(concern); }
};
struct DestroyWriteConcern {
  void operator()(mongoc_write_concern_t* concern) const noexcept { mongoc_write_concern_destroy(concern); }
};
struct DestroyReadPreference {
  void operator()(mongoc_read_prefs_t* preference) const noexcept { mongoc_read_prefs_destroy(preference); }
};

Error no_transactions() {
  return refusal(ErrorCode::MongoDBError,
                 "rules can guard changes only in a cluster with transactions (a replica set)");
}

}  // namespace

Error too_busy() {
  return refusal(ErrorCode::ServiceUnavailable, 503, "others change the same documents: try again");
}

Error without_transactions(Error fault) {
  // IllegalOperation 20, the text of a server that stands alone.
  return fault.message.find("Transaction numbers") == std::string::npos ? std::move(fault)
                                                                        : no_transactions();
}

Result<Transaction> Transaction::begin(Cluster& cluster, mongoc_client_t* client) {
  bson_error_t error{};
  Transaction made(mongoc_client_start_session(client, nullptr, &error));
  const auto failed = [&]() -> Error {
    const bool is_lacking =
        error.domain == MONGOC_ERROR_TRANSACTION ||
        (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_SESSION_FAILURE);
    return is_lacking ? no_transactions() : cluster.fault(error);
  };
  if (!made.session_) return failed();
  const std::unique_ptr<mongoc_transaction_opt_t, DestroyOptions> options(mongoc_transaction_opts_new());
  const std::unique_ptr<mongoc_read_concern_t, DestroyReadConcern> snapshot(mongoc_read_concern_new());
  mongoc_read_concern_set_level(snapshot.get(), MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
  const std::unique_ptr<mongoc_write_concern_t, DestroyWriteConcern> majority(mongoc_write_concern_new());
  mongoc_write_concern_set_wmajority(majority.get(),
                                     static_cast<std::int32_t>(cluster.options().answer.count()));
  const std::unique_ptr<mongoc_read_prefs_t, DestroyReadPreference> primary(
      mongoc_read_prefs_new(MONGOC_READ_PRIMARY));
  mongoc_transaction_opts_set_read_concern(options.get(), snapshot.get());
  mongoc_transaction_opts_set_write_concern(options.get(), majority.get());
  mongoc_transaction_opts_set_read_prefs(options.get(), primary.get());
  mongoc_transaction_opts_set_max_commit_time_ms(options.get(), cluster.options().answer.count());
  if (!mongoc_client_session_start_transaction(made.session_.get(), options.get(), &error)) return failed();
  return made;
}

Result<bool> Transaction::commit(Cluster& cluster) {
  for (int attempt = 0;; ++attempt) {
    Reply reply;
    bson_error_t error{};
    if (mongoc_client_session_commit_transaction(session_.get(), reply.out(), &error)) return true;
    if (mongoc_error_has_label(&reply.get(), "TransientTransactionError")) return false;
    const bool is_unknown = mongoc_error_has_label(&reply.get(), "UnknownTransactionCommitResult");
    if (!is_unknown || attempt > 0) return cluster.fault(error);
  }
}

}  // namespace keyturn::server::mongodb
