// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/change_feed.hpp"

#include <algorithm>

#include "core/base/thread_name.hpp"

namespace keyturn::server::sqlite {
namespace {

constexpr std::size_t kMostQueued = 10'000;

bool same(const CollectionName& a, const CollectionName& b) {
  return a.collection == b.collection && a.database == b.database && a.service == b.service &&
         a.app_id == b.app_id;
}

}  // namespace

struct ChangeFeed::State {
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::deque<ChangeEvent> queue;
  std::vector<std::weak_ptr<Watcher>> watchers;
};

ChangeFeed::ChangeFeed() : state_(std::make_shared<State>()), thread_([this] { deliver(*state_); }) {}

ChangeFeed::~ChangeFeed() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  thread_.join();
}

void ChangeFeed::publish(std::vector<ChangeEvent> events) {
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->watchers.empty()) return;
    for (ChangeEvent& event : events) {
      if (state_->queue.size() >= kMostQueued) {
        state_->queue.clear();
        state_->queue.push_back({ChangeEvent::Kind::gap, {}, {}, {}, {}});
      }
      state_->queue.push_back(std::move(event));
    }
  }
  state_->wake.notify_one();
}

std::shared_ptr<void> ChangeFeed::watch(const CollectionName& where, DocumentStore::ChangeObserver observer) {
  auto watcher = std::make_shared<Watcher>(Watcher{where, std::move(observer)});
  const std::scoped_lock lock(state_->mutex);
  state_->watchers.push_back(watcher);
  return watcher;
}

void ChangeFeed::deliver(State& state) {
  name_thread("change-feed");
  std::unique_lock lock(state.mutex);
  while (true) {
    state.wake.wait(lock, [&] { return state.stop || !state.queue.empty(); });
    if (state.stop) return;
    const ChangeEvent event = std::move(state.queue.front());
    state.queue.pop_front();
    std::erase_if(state.watchers, [](const std::weak_ptr<Watcher>& each) { return each.expired(); });
    const std::vector<std::weak_ptr<Watcher>> watchers = state.watchers;
    lock.unlock();
    for (const std::weak_ptr<Watcher>& each : watchers) {
      const std::shared_ptr<Watcher> watcher = each.lock();
      if (!watcher) continue;
      if (event.kind == ChangeEvent::Kind::gap || same(watcher->where, event.where)) watcher->observer(event);
    }
    lock.lock();
  }
}

}  // namespace keyturn::server::sqlite
