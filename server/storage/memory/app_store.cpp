// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {
namespace {

class MemoryAppStore final : public AppStore {
 public:
  explicit MemoryAppStore(State& state) : state_(state) {}

  Result<std::vector<App>> all() override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<App> out;
    for (const auto& [id, app] : state_.apps) out.push_back(app);
    return out;
  }

  Result<void> put(const App& app, const std::vector<AuthProvider>& providers_to_add) override {
    const std::scoped_lock lock(state_.mutex);
    state_.apps.insert_or_assign(app.id, app);
    for (const AuthProvider& each : providers_to_add) {
      state_.providers.insert_or_assign(key(each.app_id, each.id), each);
    }
    return {};
  }

  Result<bool> remove(std::string_view app_id) override {
    const std::scoped_lock lock(state_.mutex);
    const auto found = state_.apps.find(app_id);
    if (found == state_.apps.end()) return false;
    state_.apps.erase(found);
    const auto of_app = [&](const auto& entry) { return std::get<0>(entry.first) == app_id; };
    std::erase_if(state_.providers, of_app);
    std::erase_if(state_.secrets, of_app);
    std::erase_if(state_.documents, of_app);
    std::erase_if(state_.users, of_app);
    std::erase_if(state_.identity_owners, of_app);
    std::erase_if(state_.accounts, of_app);
    std::erase_if(state_.tokens, of_app);
    std::erase_if(state_.api_keys, of_app);
    std::erase_if(state_.sessions, [&](const auto& entry) { return entry.second.app_id == app_id; });
    return true;
  }

  Result<std::vector<AuthProvider>> providers(std::string_view app_id) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<AuthProvider> out;
    for_each_of_app(state_.providers, app_id,
                    [&](const Key&, const AuthProvider& each) { out.push_back(each); });
    return out;
  }

  Result<void> put_provider(const AuthProvider& provider) override {
    const std::scoped_lock lock(state_.mutex);
    state_.providers.insert_or_assign(key(provider.app_id, provider.id), provider);
    return {};
  }

  Result<bool> remove_provider(std::string_view app_id, std::string_view provider_id) override {
    const std::scoped_lock lock(state_.mutex);
    return state_.providers.erase(key(app_id, provider_id)) != 0;
  }

  Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view app_id) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<std::pair<std::string, std::string>> out;
    for_each_of_app(state_.secrets, app_id,
                    [&](const Key& id, const SecretRow& row) { out.emplace_back(id.second, row.name); });
    return out;
  }

  Result<void> put_secret(std::string_view app_id, std::string_view secret_id, std::string_view name,
                          const Secret& value) override {
    const std::scoped_lock lock(state_.mutex);
    state_.secrets.insert_or_assign(key(app_id, secret_id), SecretRow{std::string(name), value.copy()});
    return {};
  }

  Result<bool> remove_secret(std::string_view app_id, std::string_view secret_id) override {
    const std::scoped_lock lock(state_.mutex);
    return state_.secrets.erase(key(app_id, secret_id)) != 0;
  }

  Result<std::optional<Secret>> secret_by_name(std::string_view app_id, std::string_view name) override {
    const std::scoped_lock lock(state_.mutex);
    std::optional<Secret> out;
    for_each_of_app(state_.secrets, app_id, [&](const Key&, const SecretRow& row) {
      if (!out && row.name == name) out = row.value.copy();
    });
    return out;
  }

  Result<std::vector<ConfigDocument>> documents(std::string_view app_id, std::string_view kind) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<ConfigDocument> out;
    for_each_of_app(state_.documents, app_id, [&](const LongKey& id, const json::Value& value) {
      if (id[1] == kind) out.push_back({id[2], value});
    });
    return out;
  }

  Result<std::optional<json::Value>> document(std::string_view app_id, std::string_view kind,
                                              std::string_view id) override {
    const std::scoped_lock lock(state_.mutex);
    const auto found = state_.documents.find(key(app_id, kind, id));
    return found == state_.documents.end() ? std::optional<json::Value>() : std::optional(found->second);
  }

  Result<void> put_document(std::string_view app_id, std::string_view kind, std::string_view id,
                            const json::Value& value) override {
    const std::scoped_lock lock(state_.mutex);
    state_.documents.insert_or_assign(key(app_id, kind, id), value);
    return {};
  }

  Result<bool> remove_document(std::string_view app_id, std::string_view kind, std::string_view id) override {
    const std::scoped_lock lock(state_.mutex);
    return state_.documents.erase(key(app_id, kind, id)) != 0;
  }

 private:
  State& state_;
};

}  // namespace

std::unique_ptr<AppStore> make_app_store(State& state) { return std::make_unique<MemoryAppStore>(state); }

}  // namespace keyturn::server::memory
