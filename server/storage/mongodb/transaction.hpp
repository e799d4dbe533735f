// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "server/storage/mongodb/commands.hpp"

namespace keyturn::server::mongodb {

/// One transaction of the cluster: what is read in it is still true when it is committed. Aborted when it is
/// destroyed without.
///
/// Thread safety: one thread. Lifetime: not beyond the cluster and the client.
class Transaction {
 public:
  /// Errors: `MongoDBError` for a cluster without transactions.
  static Result<Transaction> begin(Cluster& cluster, mongoc_client_t* client);
  [[nodiscard]] mongoc_client_session_t* session() const noexcept { return session_.get(); }
  /// True: done. False: nothing was kept, and another attempt may fare better.
  Result<bool> commit(Cluster& cluster);

 private:
  struct Destroy {
    void operator()(mongoc_client_session_t* session) const noexcept {
      mongoc_client_session_destroy(session);
    }
  };
  explicit Transaction(mongoc_client_session_t* session) : session_(session) {}
  std::unique_ptr<mongoc_client_session_t, Destroy> session_;
};

inline constexpr int kMostAttempts = 5;

/// Too many others changed the same documents.
[[nodiscard]] Error too_busy();
/// The same fault, said of the rules where the cluster cannot do what they need.
[[nodiscard]] Error without_transactions(Error fault);

/// Runs `work(Commands&)`, which answers a Result, in a transaction, and again while others come between. All
/// that it did is kept when it answers a value, and nothing else is.
template <class Work>
auto in_transaction(Cluster& cluster, const CollectionName& where, const Work& work)
    -> decltype(work(std::declval<Commands&>())) {
  auto lease = cluster.lease();
  if (!lease) return lease.error();
  const BootTime end = cluster.clock().boot_now() + cluster.options().answer;
  for (int attempt = 0; attempt < kMostAttempts && cluster.clock().boot_now() < end; ++attempt) {
    auto transaction = Transaction::begin(cluster, lease->get());
    if (!transaction) return transaction.error();
    Commands commands(cluster, lease->get(), where, transaction->session());
    auto result = work(commands);
    if (!result) {
      if (commands.is_transient()) continue;
      return without_transactions(result.error());
    }
    auto kept = transaction->commit(cluster);
    if (!kept) return kept.error();
    if (*kept) return result;
  }
  return too_busy();
}

}  // namespace keyturn::server::mongodb
