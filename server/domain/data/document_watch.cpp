// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "server/domain/data/data_arguments.hpp"
#include "server/domain/data/document_service.hpp"
#include "server/domain/documents/filter.hpp"
#include "server/domain/refusal.hpp"

// Changes as a watcher sees them (client-api.md 14).
namespace keyturn::server {
namespace {

using documents::Filter;

constexpr std::chrono::milliseconds kRulesAreNewFor{500};

std::string_view name_of(ChangeEvent::Kind kind) {
  switch (kind) {
    case ChangeEvent::Kind::insert:
      return "insert";
    case ChangeEvent::Kind::update:
      return "update";
    case ChangeEvent::Kind::replace:
      return "replace";
    default:
      return "delete";
  }
}

EjsonDocument difference(const EjsonDocument& before, const EjsonDocument& after) {
  EjsonDocument set;
  EjsonArray removed;
  for (const auto& [name, value] : after) {
    const Ejson* was = before.find(name);
    if (was == nullptr || *was != value) set.append(name, value);
  }
  for (const auto& [name, value] : before) {
    if (!after.contains(name)) removed.emplace_back(name);
  }
  return {{"updatedFields", std::move(set)}, {"removedFields", std::move(removed)}};
}

/// The names that a query asks about ("fullDocument._id"), for a filter on the event.
Result<Filter> filter_of(DataArguments& arguments) {
  EjsonDocument query = arguments.document("filter");
  if (arguments.find("ids") != nullptr)
    query.set("documentKey._id", EjsonDocument{{"$in", arguments.array("ids")}});
  if (arguments.fault()) return *arguments.fault();
  return Filter::compile(query);
}

}  // namespace

/// One watcher. Its observer is called on the store's thread, one call at a time.
class DocumentService::Watch {
 public:
  Watch(DocumentService& service, App app, DataCaller caller, std::string service_id, CollectionName where,
        Filter filter, Gate gate, ChangeObserver observer)
      : service_(service),
        app_(std::move(app)),
        caller_(std::move(caller)),
        service_id_(std::move(service_id)),
        where_(std::move(where)),
        filter_(std::move(filter)),
        gate_(std::move(gate)),
        asked_(service.clock_.boot_now()),
        observer_(std::move(observer)) {}

  /// When it returns, no call of the observer is under way, and none will come.
  void stop() {
    const std::scoped_lock lock(taking_);
    over_ = true;
  }

  void take(const ChangeEvent& event) {
    const std::scoped_lock lock(taking_);  // only `stop` ever waits for it
    if (over_) return;
    if (event.kind == ChangeEvent::Kind::gap) {
      end(event.fault.value_or(
          refusal(ErrorCode::InternalServerError, 500, "changes were lost because too many were waiting")));
      return;
    }
    if (auto fresh = renew_gate(); !fresh) {
      end(fresh.error());
      return;
    }
    auto shown = shown_to_caller(event);
    if (shown && filter_.matches(*shown)) observer_(std::move(*shown));
  }

 private:
  void end(Error error) {
    over_ = true;
    observer_(std::move(error));
  }

  Result<void> renew_gate() {
    const BootTime now = service_.clock_.boot_now();
    if (caller_.is_system || now - asked_ < kRulesAreNewFor) return {};
    auto gate = service_.gate_for(app_, caller_, service_id_, where_.database, where_.collection);
    if (!gate) return gate.error();
    gate_ = std::move(*gate);
    asked_ = now;
    return {};
  }

  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const {
    return gate_ == nullptr ? document : gate_->view(document);
  }

  std::optional<EjsonDocument> shown_to_caller(const ChangeEvent& event) {
    const bool is_removal = event.kind == ChangeEvent::Kind::remove;
    auto seen = view(is_removal ? event.before : event.full_document);
    if (!seen) return std::nullopt;
    EjsonDocument out{{"_id", EjsonDocument{{"_data", std::to_string(++count_)}}},
                      {"operationType", name_of(event.kind)}};
    EjsonDocument changes;
    if (event.description) {
      // Paths of members cannot be held against what is hidden.
      if (gate_ == nullptr || !gate_->hides_members()) changes = *event.description;
    } else if (event.kind == ChangeEvent::Kind::update) {
      changes = difference(view(event.before).value_or(EjsonDocument()), *seen);
    }
    if (!is_removal) out.append("fullDocument", std::move(*seen));
    out.append("ns", EjsonDocument{{"db", where_.database}, {"coll", where_.collection}});
    out.append("documentKey", EjsonDocument{{"_id", event.document_id}});
    if (!changes.empty()) out.append("updateDescription", std::move(changes));
    return out;
  }

  DocumentService& service_;
  const App app_;
  const DataCaller caller_;
  const std::string service_id_;
  const CollectionName where_;
  const Filter filter_;
  Gate gate_;
  BootTime asked_;
  ChangeObserver observer_;
  std::mutex taking_;
  std::int64_t count_ = 0;
  bool over_ = false;
};

Result<std::shared_ptr<void>> DocumentService::watch(const App& app, const DataCaller& caller,
                                                     std::string_view service, const EjsonDocument& text,
                                                     ChangeObserver observer) {
  auto found = find_service(app.id, service);
  if (!found) return found.error();
  if (!*found) {
    return refusal(ErrorCode::ServiceNotFound, "service not found: '" + std::string(service) + "'");
  }
  const std::string& service_id = (*found)->id;
  auto store = store_of(app.id, service_id, (*found)->value);
  if (!store) return store.error();
  DataArguments arguments(text);
  CollectionName where{app.id, std::string(service), std::string(arguments.text("database")),
                       std::string(arguments.text("collection"))};
  auto filter = filter_of(arguments);
  if (!filter) return filter.error();
  auto gate = gate_for(app, caller, service_id, where.database, where.collection);
  if (!gate) return gate.error();
  auto watch = std::make_shared<Watch>(*this, app, caller, service_id, where, std::move(*filter),
                                       std::move(*gate), std::move(observer));
  // A call may be under way on the store's thread when the registration goes; it must not outlive what it
  // uses.
  struct Registration {
    std::shared_ptr<Watch> watch;
    std::shared_ptr<void> changes;
    ~Registration() {
      changes.reset();
      watch->stop();
    }
  };
  auto registration = std::make_shared<Registration>();
  registration->watch = watch;
  auto changes = (*store)->start_watch(where, [watch](const ChangeEvent& event) { watch->take(event); });
  if (!changes) return changes.error();
  registration->changes = std::move(*changes);
  return std::shared_ptr<void>(std::move(registration));
}

}  // namespace keyturn::server
