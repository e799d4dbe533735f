// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/change_streams.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/thread_name.hpp"
#include "server/domain/refusal.hpp"
#include "server/storage/mongodb/commands.hpp"

namespace keyturn::server::mongodb {
namespace {

constexpr std::size_t kMostStreams = 8;  // half of the connections
constexpr std::int64_t kWaitMilliseconds = 500;

struct DestroyStream {
  void operator()(mongoc_change_stream_t* stream) const noexcept { mongoc_change_stream_destroy(stream); }
};
using Handle = std::unique_ptr<mongoc_change_stream_t, DestroyStream>;

Error ended(const char* text) { return refusal(ErrorCode::ServiceUnavailable, 503, text); }

EjsonDocument document_at(EjsonDocument& event, std::string_view name) {
  Ejson* value = event.find(name);
  auto* document = value == nullptr ? nullptr : value->get_if<EjsonDocument>();
  return document == nullptr ? EjsonDocument() : std::move(*document);
}

std::optional<ChangeEvent::Kind> kind_of(const EjsonDocument& event) {
  const Ejson* type = event.find("operationType");
  if (type == nullptr) return std::nullopt;
  if (*type == Ejson("insert")) return ChangeEvent::Kind::insert;
  if (*type == Ejson("update")) return ChangeEvent::Kind::update;
  if (*type == Ejson("replace")) return ChangeEvent::Kind::replace;
  if (*type == Ejson("delete")) return ChangeEvent::Kind::remove;
  return std::nullopt;
}

}  // namespace

/// One collection. The thread holds it, so that it lives as long as both need it.
class ChangeStreams::Stream {
 public:
  Stream(std::shared_ptr<Cluster> cluster, CollectionName where)
      : cluster_(std::move(cluster)), where_(std::move(where)) {}

  Result<void> open() {
    auto lease = cluster_->lease();
    if (!lease) return lease.error();
    lease_ = std::move(*lease);
    Commands commands(*cluster_, lease_.get(), where_);
    auto pipeline = bson_of({});
    auto options = bson_of({{"fullDocument", "updateLookup"}, {"maxAwaitTimeMS", kWaitMilliseconds}});
    handle_.reset(mongoc_collection_watch(commands.collection(), pipeline->get(), options->get()));
    return fault();
  }

  void start(const std::shared_ptr<Stream>& self) {
    thread_ = std::thread([self] { self->run(); });
  }

  /// False: the stream has ended.
  bool add(const std::shared_ptr<DocumentStore::ChangeObserver>& observer) {
    const std::scoped_lock lock(mutex_);
    if (is_over_) return false;
    observers_.push_back(observer);
    return true;
  }
  void drop(const std::shared_ptr<DocumentStore::ChangeObserver>& observer) {
    const std::scoped_lock lock(mutex_);
    observers_.erase(std::remove(observers_.begin(), observers_.end(), observer), observers_.end());
  }
  void stop() { stops_ = true; }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] bool is_over() {
    const std::scoped_lock lock(mutex_);
    return is_over_;
  }

 private:
  Result<void> fault() {
    bson_error_t error{};
    const bson_t* reply = nullptr;
    if (!mongoc_change_stream_error_document(handle_.get(), &error, &reply)) return {};
    return cluster_->fault(error);
  }

  void run() {
    name_thread("change-stream");
    while (!stops_ && is_watched()) {
      const bson_t* next = nullptr;
      if (mongoc_change_stream_next(handle_.get(), &next)) {
        take(*next);
        continue;
      }
      if (auto fine = fault(); !fine) end(fine.error());
    }
    if (is_watched()) end(ended("the linked service has changed"));
    handle_.reset();
    lease_.reset();
  }

  /// The last one to go ends the stream, under the lock under which the next one would come.
  bool is_watched() {
    const std::scoped_lock lock(mutex_);
    if (observers_.empty()) is_over_ = true;
    return !is_over_;
  }

  void take(const bson_t& bytes) {
    auto read = document_of(bytes);
    if (!read) return end(ended("a change holds a value of a type that is not supported"));
    const auto kind = kind_of(*read);
    if (!kind) return end(ended("the watched collection was dropped or renamed"));
    ChangeEvent event;
    event.kind = *kind;
    event.where = where_;
    const EjsonDocument key = document_at(*read, "documentKey");
    if (const Ejson* id = key.find("_id")) event.document_id = *id;
    event.full_document = document_at(*read, "fullDocument");
    // A document that is gone by the time it is looked up: its removal is the next event.
    if (event.full_document.empty() && *kind != ChangeEvent::Kind::remove) return;
    if (*kind == ChangeEvent::Kind::update) event.description = document_at(*read, "updateDescription");
    tell(event);
  }

  void end(Error why) {
    {
      const std::scoped_lock lock(mutex_);
      is_over_ = true;
    }
    ChangeEvent event;
    event.kind = ChangeEvent::Kind::gap;
    event.where = where_;
    event.fault = std::move(why);
    tell(event);
  }

  void tell(const ChangeEvent& event) {
    std::vector<std::shared_ptr<DocumentStore::ChangeObserver>> observers;
    {
      const std::scoped_lock lock(mutex_);
      observers = observers_;
    }
    for (const auto& each : observers) (*each)(event);
  }

  const std::shared_ptr<Cluster> cluster_;
  const CollectionName where_;
  Cluster::Lease lease_;
  Handle handle_;
  std::thread thread_;
  std::atomic<bool> stops_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<DocumentStore::ChangeObserver>> observers_;
  bool is_over_ = false;
};

ChangeStreams::~ChangeStreams() {
  for (const auto& [place, stream] : streams_) stream->stop();
  for (const auto& [place, stream] : streams_) stream->join();
}

Result<std::shared_ptr<void>> ChangeStreams::watch(const CollectionName& where,
                                                   DocumentStore::ChangeObserver observer) {
  struct Registration {
    std::shared_ptr<Stream> stream;
    std::shared_ptr<DocumentStore::ChangeObserver> observer;
    ~Registration() { stream->drop(observer); }
  };
  auto held = std::make_shared<DocumentStore::ChangeObserver>(std::move(observer));
  const Place place{where.database, where.collection};
  const auto registered = [&](const std::shared_ptr<Stream>& stream) {
    auto registration = std::make_shared<Registration>();
    registration->stream = stream;
    registration->observer = held;
    return std::shared_ptr<void>(std::move(registration));
  };
  std::vector<std::shared_ptr<Stream>> finished;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto open = streams_.find(place); open != streams_.end() && open->second->add(held))
      return registered(open->second);
    for (auto each = streams_.begin(); each != streams_.end();) {
      const bool is_over = each->second->is_over();
      if (is_over) finished.push_back(std::move(each->second));
      each = is_over ? streams_.erase(each) : std::next(each);
    }
  }
  for (const auto& each : finished) each->join();
  auto stream = std::make_shared<Stream>(cluster_, where);
  if (auto opened = stream->open(); !opened) return opened.error();
  stream->add(held);
  const std::scoped_lock lock(mutex_);
  if (streams_.size() >= kMostStreams) return ended("too many collections of the linked cluster are watched");
  // Somebody else may have opened it meanwhile: then that one serves, and this one goes.
  const auto [there, is_new] = streams_.try_emplace(place, stream);
  if (is_new) {
    stream->start(stream);
  } else if (!there->second->add(held)) {
    return ended("the stream of the watched collection has just ended: try again");
  }
  return registered(there->second);
}

}  // namespace keyturn::server::mongodb
