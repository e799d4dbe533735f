// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/testing/fake_clock.hpp"
#include "server/domain/documents/test_text.hpp"
#include "server/domain/rules/rule_gate.hpp"
#include "server/storage/mongodb/mongo_document_store.hpp"
#include "server/storage/mongodb/testing/scripted_mongo.hpp"

namespace keyturn::server::mongodb {

using documents::document_of;
using documents::value_of;
using testing::ScriptedMongo;

/// Short ones, so that a test of a deadline is quick.
inline ClusterOptions quick_options() {
  ClusterOptions options;
  options.connect = std::chrono::milliseconds{400};
  options.answer = std::chrono::milliseconds{400};
  options.queue = std::chrono::milliseconds{100};
  return options;
}

inline std::unique_ptr<MongoDocumentStore> open_store(std::string_view uri, Clock& clock,
                                                      const ClusterOptions& options = quick_options()) {
  auto cluster = Cluster::open(Secret(std::string(uri)), options, clock);
  if (!cluster) return nullptr;
  return std::make_unique<MongoDocumentStore>(std::move(*cluster));
}

/// What the rule lets the user "u1" do.
inline std::shared_ptr<const DocumentGate> gate_of(const Ejson& rule) {
  data::CallerFacts facts;
  facts.user = Ejson(EjsonDocument{{"id", "u1"}, {"type", "normal"}});
  auto gate = data::make_rule_gate(rule, std::move(facts));
  return gate ? std::move(*gate) : nullptr;
}
inline std::shared_ptr<const DocumentGate> owners_gate() { return gate_of(data::built_in_rule()); }

inline std::string text_of(const std::vector<EjsonDocument>& documents) {
  EjsonArray list(documents.begin(), documents.end());
  return Ejson(std::move(list)).to_canonical();
}

/// A store over a peer that is told what to answer.
class ScriptedStore : public ::testing::Test {
 protected:
  /// The commands in relaxed Extended JSON: types that JSON has are not told apart.
  std::string sent() const {
    std::string all;
    for (const std::string& each : peer_.commands()) all += value_of(each).to_relaxed() + "\n";
    return all;
  }

  const CollectionName kWhere{"app", "mongodb-atlas", "shop", "items"};
  ScriptedMongo peer_;
  keyturn::testing::FakeClock clock_;
  std::unique_ptr<MongoDocumentStore> store_ = open_store(peer_.uri(), clock_);
};

}  // namespace keyturn::server::mongodb
