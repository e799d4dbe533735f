// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/seen_documents.hpp"

#include <string_view>
#include <utility>

#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/sort.hpp"
#include "server/domain/refusal.hpp"
#include "server/storage/mongodb/guarded_pipeline.hpp"

namespace keyturn::server::mongodb {
namespace {

using documents::Filter;
using documents::Sort;

constexpr std::size_t kMostScanned = 100'000;
constexpr std::string_view kPlace("\0place", 6);  // no member can be named so

/// In the order of what is seen.
Result<std::vector<SeenDocument>> sorted(std::vector<SeenDocument> all, const Sort& sort) {
  std::vector<EjsonDocument> order;
  order.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    order.push_back(all[i].seen);
    order.back().append(std::string(kPlace), static_cast<std::int64_t>(i));
  }
  if (auto done = sort.apply(order); !done) return done.error();
  std::vector<SeenDocument> out;
  out.reserve(all.size());
  for (const EjsonDocument& each : order) {
    out.push_back(std::move(all[static_cast<std::size_t>(*each.find(kPlace)->to_int64())]));
  }
  return out;
}

}  // namespace

Result<void> find_seen(Commands& commands, const EjsonDocument& query, const EjsonDocument& sort,
                       const DocumentGate& gate, const std::function<bool(SeenDocument)>& take) {
  if (auto fine = check_query(Ejson(query)); !fine) return fine;
  const bool hides = gate.hides_members();
  auto filter = Filter::compile(hides ? query : EjsonDocument());
  if (!filter) return filter.error();
  auto order = Sort::compile(hides ? sort : EjsonDocument());
  if (!order) return order.error();
  EjsonDocument options;
  if (!hides && !sort.empty()) options.append("sort", sort);
  std::size_t scanned = 0;
  std::vector<SeenDocument> held;
  auto done = commands.find(asked_of_cluster(query, &gate), std::move(options), [&](EjsonDocument document) {
    if (++scanned > kMostScanned) return false;
    auto seen = gate.view(document);
    if (!seen || !filter->matches(*seen)) return true;
    SeenDocument found{std::move(document), std::move(*seen)};
    if (order->empty()) return take(std::move(found));
    held.push_back(std::move(found));
    return true;
  });
  if (!done) return done;
  if (scanned > kMostScanned) {
    return refusal(ErrorCode::ReadSizeLimitExceeded, "the operation works on more than 100000 documents");
  }
  if (held.empty()) return {};
  auto in_order = sorted(std::move(held), *order);
  if (!in_order) return in_order.error();
  for (SeenDocument& each : *in_order) {
    if (!take(std::move(each))) break;
  }
  return {};
}

Result<std::vector<SeenDocument>> seen_documents(Commands& commands, const EjsonDocument& query,
                                                 const EjsonDocument& sort, const DocumentGate& gate,
                                                 bool many) {
  std::vector<SeenDocument> all;
  auto done = find_seen(commands, query, sort, gate, [&](SeenDocument each) {
    all.push_back(std::move(each));
    return many;
  });
  if (!done) return done.error();
  return all;
}

}  // namespace keyturn::server::mongodb
