// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/directory.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};
template <class T>
using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

}  // namespace

/// Never changed once it is published.
struct AppDirectory::Snapshot {
  Views views;  ///< All, in order of id.
  ByText<std::shared_ptr<const AppView>> by_id;
  ByText<std::shared_ptr<const AppView>> by_client_app_id;
  ByText<std::shared_ptr<const AppView>> by_domain_id;
  ByText<KeyEntry> by_key_id;
  std::shared_ptr<const AppView> admin_realm;
};

namespace {

template <class Map>
std::shared_ptr<const AppView> found_in(const Map& map, std::string_view id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

const AuthProvider* AppView::provider(std::string_view type) const noexcept {
  const auto found =
      std::find_if(providers.begin(), providers.end(), [&](const AuthProvider& p) { return p.type == type; });
  return found == providers.end() ? nullptr : &*found;
}

AppDirectory::AppDirectory(AppStore& store, SigningKeyStore& keys)
    : store_(store), keys_(keys), snapshot_(std::make_shared<const Snapshot>()) {}

Result<void> AppDirectory::load() {
  const std::scoped_lock lock(write_mutex_);
  auto apps = store_.all();
  if (!apps) return apps.error();
  Views views;
  for (App& app : *apps) {
    auto providers = store_.providers(app.id);
    if (!providers) return providers.error();
    auto keys = keys_.load(app.domain_id);
    if (!keys) return keys.error();
    views.push_back(
        std::make_shared<const AppView>(AppView{std::move(app), *std::move(providers), *std::move(keys)}));
  }
  return publish(std::move(views));
}

std::shared_ptr<const AppDirectory::Snapshot> AppDirectory::snapshot() const {
  return std::atomic_load(&snapshot_);
}

Result<void> AppDirectory::publish(Views views) {
  const auto by_id = [](const auto& a, const auto& b) { return a->app.id < b->app.id; };
  std::sort(views.begin(), views.end(), by_id);
  auto next = std::make_shared<Snapshot>();
  for (const auto& view : views) {
    if (view->app.is_admin_realm) {
      next->admin_realm = view;
    } else {
      next->by_id.emplace(view->app.id, view);
      next->by_client_app_id.emplace(view->app.client_app_id, view);
    }
    next->by_domain_id.emplace(view->app.domain_id, view);
    const SigningKeys& keys = *view->keys;
    const bool fresh =
        next->by_key_id.emplace(keys.access_es256.id(), KeyEntry{view, &keys.access_es256, TokenType::access})
            .second &&
        next->by_key_id.emplace(keys.access_hs256.id(), KeyEntry{view, &keys.access_hs256, TokenType::access})
            .second &&
        next->by_key_id
            .emplace(keys.refresh_hs256.id(), KeyEntry{view, &keys.refresh_hs256, TokenType::refresh})
            .second;
    if (!fresh) return Error(ErrorCode::InvalidConfiguration, "two signing keys have the same id");
  }
  const bool has_user_data = std::any_of(views.begin(), views.end(), [](const auto& view) {
    return view->app.user_data && view->app.user_data->in_access_token;
  });
  next->views = std::move(views);
  std::atomic_store(&snapshot_, std::shared_ptr<const Snapshot>(std::move(next)));
  has_user_data_ = has_user_data;
  return {};
}

std::shared_ptr<const AppView> AppDirectory::by_client_app_id(std::string_view client_app_id) const {
  return found_in(snapshot()->by_client_app_id, client_app_id);
}
std::shared_ptr<const AppView> AppDirectory::by_id(std::string_view app_id) const {
  return found_in(snapshot()->by_id, app_id);
}
std::shared_ptr<const AppView> AppDirectory::by_domain_id(std::string_view domain_id) const {
  return found_in(snapshot()->by_domain_id, domain_id);
}
std::shared_ptr<const AppView> AppDirectory::admin_realm() const { return snapshot()->admin_realm; }

AppDirectory::KeyEntry AppDirectory::by_key_id(std::string_view key_id) const {
  const auto current = snapshot();
  const auto found = current->by_key_id.find(key_id);
  return found == current->by_key_id.end() ? KeyEntry{} : found->second;
}

std::vector<std::shared_ptr<const AppView>> AppDirectory::all() const {
  Views views = snapshot()->views;
  std::erase_if(views, [](const auto& view) { return view->app.is_admin_realm; });
  return views;
}

Result<void> AppDirectory::add(const App& app, const std::vector<AuthProvider>& providers) {
  const std::scoped_lock lock(write_mutex_);
  // Keys first, and kept when the app could not be stored for certain: an app without keys would keep the
  // server from starting, keys without an app harm nobody.
  auto keys = keys_.create(app.domain_id);
  if (!keys) return unavailable(keys.error());
  for (const jwt::Key* key : {&(*keys)->access_es256, &(*keys)->access_hs256, &(*keys)->refresh_hs256}) {
    if (by_key_id(key->id()).key == nullptr) continue;
    return refusal(ErrorCode::ServiceUnavailable, "two signing keys have the same id");
  }
  if (auto stored = store_.put(app, providers); !stored) return unavailable(stored.error());
  Views views = snapshot()->views;
  views.push_back(std::make_shared<const AppView>(AppView{app, providers, *std::move(keys)}));
  return publish(std::move(views));
}

template <class Change>
Result<void> AppDirectory::replace(std::string_view app_id, const Change& change) {
  Views views = snapshot()->views;
  for (auto& view : views) {
    if (view->app.id != app_id) continue;
    AppView next = *view;
    change(next);
    view = std::make_shared<const AppView>(std::move(next));
  }
  return publish(std::move(views));
}

Result<void> AppDirectory::update(const App& app) {
  const std::scoped_lock lock(write_mutex_);
  if (auto stored = store_.put(app, {}); !stored) return unavailable(stored.error());
  return replace(app.id, [&](AppView& view) { view.app = app; });
}

Result<bool> AppDirectory::remove(std::string_view app_id) {
  const std::scoped_lock lock(write_mutex_);
  auto removed = store_.remove(app_id);
  if (!removed) return unavailable(removed.error());
  Views views = snapshot()->views;
  std::string domain_id;  // found in memory alone: a removal whose answer was lost is finished now
  std::erase_if(views, [&](const auto& view) {
    if (view->app.id != app_id) return false;
    domain_id = view->app.domain_id;
    return true;
  });
  if (auto published = publish(std::move(views)); !published) return published.error();
  if (!domain_id.empty()) keys_.remove(domain_id);
  return *removed || !domain_id.empty();
}

Result<void> AppDirectory::put_provider(const AuthProvider& provider) {
  const std::scoped_lock lock(write_mutex_);
  if (auto stored = store_.put_provider(provider); !stored) return unavailable(stored.error());
  return replace(provider.app_id, [&](AppView& view) {
    for (AuthProvider& each : view.providers) {
      if (each.id == provider.id) {
        each = provider;
        return;
      }
    }
    view.providers.push_back(provider);
  });
}

Result<bool> AppDirectory::remove_provider(std::string_view app_id, std::string_view provider_id) {
  const std::scoped_lock lock(write_mutex_);
  auto removed = store_.remove_provider(app_id, provider_id);
  if (!removed) return unavailable(removed.error());
  auto published = replace(app_id, [&](AppView& view) {
    std::erase_if(view.providers, [&](const AuthProvider& each) { return each.id == provider_id; });
  });
  if (!published) return published.error();
  return *removed;
}

}  // namespace keyturn::server
