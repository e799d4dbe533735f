// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <keyturn/base/error.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn {

/// One change of a watched collection (client-api.md 14).
struct ChangeEvent {
  std::string operation;                         ///< "insert", "update", "replace", "delete", ...
  EjsonDocument document_key;                    ///< `{"_id": ...}` of the document.
  std::optional<EjsonDocument> full_document{};  ///< Where the event has it.
  EjsonDocument event;                           ///< The whole event, with all of its members.
};

/// Which changes are told; all when both are empty. One of the two at most.
struct WatchFilter {
  std::vector<Ejson> ids{};  ///< Those of documents with one of these `_id`s.
  EjsonDocument query{};     ///< Those whose change event the query finds (`{"fullDocument.x", 1}`).
};

/// What a watch tells. Each is called on the SDK's callback thread, one call at a time, in order, with no
/// lock held; any may be left empty. They may call anything of the SDK.
struct WatchObserver {
  std::function<void(const ChangeEvent&)> on_event{};
  /// The stream was lost for a passing cause and is there again: changes made in between were not told and
  /// will not be. Read the documents again when that matters.
  std::function<void()> on_reconnect{};
  /// The watch is over: the session ended, the user logged out, the server refused, or the app was closed.
  /// The last call. Not called after `cancel`.
  std::function<void(const Error&)> on_error{};
};

/// A watch under way; it ends when the last copy of its handle is gone or `cancel` is called.
///
/// Tokens: the stream is opened with a valid access token, in the `Authorization` header. When it ends - the
/// token expired, the server restarted, the network changed, nothing came for 90 seconds - it is opened again
/// with a valid token, after a growing pause when that fails; `on_reconnect` tells of the gap. A log-out ends
/// it at once. Bounds: an event has 20 MB at most; while 256 events or 4 MB wait for the observer no more is
/// read from the network. Thread safety: one thread at a time. Lifetime: may outlive the `App`.
class WatchStream {
 public:
  WatchStream() = default;
  explicit WatchStream(std::shared_ptr<void> registration) : registration_(std::move(registration)) {}
  /// Ends the watch. After it returned the observer is not called again, unless it was called from inside the
  /// observer.
  void cancel() noexcept { registration_.reset(); }

 private:
  std::shared_ptr<void> registration_;
};

}  // namespace keyturn
