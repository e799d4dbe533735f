// SPDX-License-Identifier: Apache-2.0
// `watch` of client-api.md 14: a GET that names the call, answered by a stream of change events.
#include <utility>

#include <keyturn/mongo.hpp>

#include "core/crypto/crypto.hpp"
#include "sdk/app/function_call.hpp"

namespace keyturn {
namespace {

std::string watch_path(const std::string& app_id, const std::string& request) {
  return protocol::functions_call_path(app_id) +
         "?baas_request=" + protocol::percent_encode(crypto::base64_encode(request));
}

std::string text_of(const Ejson* value) {
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? std::string() : *text;
}

EjsonDocument document_of(const Ejson* value) {
  const auto* document = value == nullptr ? nullptr : value->get_if<EjsonDocument>();
  return document == nullptr ? EjsonDocument() : *document;
}

Result<ChangeEvent> read_event(const std::string& data) {
  auto value = Ejson::parse(data);
  auto* document = value ? value->get_if<EjsonDocument>() : nullptr;
  if (document == nullptr)
    return Error(ErrorCode::InvalidServerResponse, "a change event is no EJSON document");
  ChangeEvent event;
  event.operation = text_of(document->find("operationType"));
  event.document_key = document_of(document->find("documentKey"));
  if (const Ejson* full = document->find("fullDocument"); full != nullptr && !full->is_null())
    event.full_document = document_of(full);
  event.event = std::move(*document);
  return event;
}

sdk::EventStreamHandlers handlers_of(WatchObserver observer) {
  sdk::EventStreamHandlers handlers;
  handlers.on_event = [told = std::move(observer.on_event)](const std::string& data) -> Result<void> {
    const auto event = read_event(data);
    if (!event) return event.error();
    if (told) told(*event);
    return {};
  };
  handlers.on_reconnect = std::move(observer.on_reconnect);
  handlers.on_error = std::move(observer.on_error);
  return handlers;
}

}  // namespace

Pending<WatchStream> MongoCollection::watch(WatchObserver observer, WatchFilter filter) const {
  if (!filter.ids.empty() && !filter.query.empty())
    return Error(ErrorCode::InvalidParameter, "a watch is filtered by ids or by a query, not by both");
  EjsonDocument arguments{{"database", database_}, {"collection", name_}};
  if (!filter.ids.empty()) arguments.set("ids", EjsonArray(std::move(filter.ids)));
  if (!filter.query.empty()) arguments.set("filter", std::move(filter.query));
  const std::string request = protocol::write_function_call(
      "watch", Ejson(EjsonArray{Ejson(std::move(arguments))}).to_canonical(), service_);
  const sdk::Answer<WatchStream> answer(core_->sessions().callbacks());
  auto pending = answer.pending();
  core_->sessions().open_stream(core_->record(), watch_path(core_->sessions().settings().app_id, request),
                                handlers_of(std::move(observer)),
                                [answer](Result<std::shared_ptr<void>> started) {
                                  if (!started) {
                                    answer.set(started.error());
                                  } else {
                                    answer.set(WatchStream(std::move(*started)));
                                  }
                                });
  return pending;
}

}  // namespace keyturn
