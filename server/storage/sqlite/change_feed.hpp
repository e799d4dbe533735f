// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/domain/data/document_store.hpp"

namespace keyturn::server::sqlite {

/// Hands committed changes to those who watch, on a thread of its own, in the order of `publish`.
///
/// The queue is bounded: when watchers are too slow, what waits is dropped and all are told of a gap; a
/// writer never waits for a watcher. Thread safety: all members. Observers are called with no lock held.
class ChangeFeed {
 public:
  ChangeFeed();
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  void publish(std::vector<ChangeEvent> events);
  /// After the registration was destroyed, at most the call that was under way is still finishing.
  [[nodiscard]] std::shared_ptr<void> watch(const CollectionName& where,
                                            DocumentStore::ChangeObserver observer);

 private:
  struct Watcher {
    CollectionName where;
    DocumentStore::ChangeObserver observer;
  };
  struct State;
  static void deliver(State& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace keyturn::server::sqlite
