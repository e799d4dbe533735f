// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/compat/realm_app_error.hpp>

// What keeps a realm::App together, and its ways of giving an answer. Not for use by itself.
namespace realm {
namespace detail {

// While it lives on a thread, that thread runs a callback: it must neither end an App nor wait for another
// callback.
class callback_scope {
 public:
  callback_scope() noexcept { ++depth(); }
  callback_scope(const callback_scope&) = delete;
  callback_scope& operator=(const callback_scope&) = delete;
  ~callback_scope() { --depth(); }
  static bool active() noexcept { return depth() != 0; }

 private:
  static int& depth() noexcept {
    thread_local int value = 0;
    return value;
  }
};

// Shared by the copies of a realm::App and by its users: the connection ends with the last of them.
class shared_app {
 public:
  static std::shared_ptr<shared_app> get(const std::string& app_id, const std::string& base_url,
                                         const std::string& path, keyturn::TokenStoreKey key) {
    end_left_over();
    registry& known = all();
    const std::scoped_lock lock(known.mutex);
    std::weak_ptr<shared_app>& entry = known.cached[{app_id, base_url}];
    if (auto cached = entry.lock()) return cached;
    keyturn::App::configuration config{.app_id = app_id, .base_url = base_url};
    config.store = keyturn::TokenStoreConfiguration::in_directory(path, std::move(key));
    auto opened = keyturn::App::open(std::move(config));
    if (!opened) throw app_error(opened.error());
    const std::shared_ptr<shared_app> made(new shared_app(std::move(*opened)), &shared_app::end);
    entry = made;
    return made;
  }
  static std::shared_ptr<shared_app> find(const std::string& app_id, const std::string& base_url) {
    registry& known = all();
    const std::scoped_lock lock(known.mutex);
    const auto found = known.cached.find({app_id, base_url});
    return found == known.cached.end() ? nullptr : found->second.lock();
  }
  static void forget_all() {
    end_left_over();
    registry& known = all();
    const std::scoped_lock lock(known.mutex);
    known.cached.clear();
  }

  keyturn::App app;

 private:
  struct registry {
    std::mutex mutex;
    std::map<std::pair<std::string, std::string>, std::weak_ptr<shared_app>> cached;
    std::vector<std::unique_ptr<shared_app>> left_over;
  };
  explicit shared_app(keyturn::App opened) : app(std::move(opened)) {}

  // Never destroyed, so that a callback that is late at the end of the process finds it.
  static registry& all() {
    static registry& made = *new registry;
    return made;
  }
  // An App waits for its threads when it ends, so the callback thread leaves it to the next caller.
  static void end(shared_app* last) {
    std::unique_ptr<shared_app> owned(last);
    if (!callback_scope::active()) return;
    registry& known = all();
    const std::scoped_lock lock(known.mutex);
    known.left_over.push_back(std::move(owned));
  }
  static void end_left_over() {
    if (callback_scope::active()) return;
    std::vector<std::unique_ptr<shared_app>> ending;
    registry& known = all();
    const std::scoped_lock lock(known.mutex);
    ending.swap(known.left_over);
  }
};

// Calls `body` once with the answer; what it holds is given up before the callback ends.
template <class T>
void deliver(keyturn::Pending<T> pending, std::function<void(keyturn::Result<T>)> body) {
  auto kept = std::make_shared<std::function<void(keyturn::Result<T>)>>(std::move(body));
  const auto run = [kept](keyturn::Result<T> result) {
    const callback_scope scope;
    const auto once = std::exchange(*kept, nullptr);
    once(std::move(result));
  };
  if (callback_scope::active()) {
    run(pending.result());
  } else {
    pending.then(run);
  }
}

template <class T, class U, class Convert>
std::future<T> to_future(keyturn::Pending<U> pending, Convert convert) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  deliver<U>(std::move(pending), [promise, convert = std::move(convert)](keyturn::Result<U> result) {
    if (!result) {
      promise->set_exception(std::make_exception_ptr(app_error(result.error())));
    } else if constexpr (std::is_void_v<T>) {
      promise->set_value();
    } else {
      promise->set_value(convert(std::move(*result)));
    }
  });
  return future;
}
template <class Keep>
std::future<void> to_future(keyturn::Pending<void> pending, Keep keep) {
  return to_future<void, void>(std::move(pending), [keep = std::move(keep)] {});
}

template <class Keep>
void to_callback(keyturn::Pending<void> pending, std::function<void(std::optional<app_error>)> callback,
                 Keep keep) {
  deliver<void>(std::move(pending),
                [callback = std::move(callback), keep = std::move(keep)](keyturn::Result<void> result) {
                  callback(result ? std::nullopt : std::optional<app_error>(app_error(result.error())));
                });
}

}  // namespace detail

}  // namespace realm
