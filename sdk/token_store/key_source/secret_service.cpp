// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/thread_name.hpp"
#include "core/crypto/aead.hpp"
#include "core/crypto/crypto.hpp"
#include "sdk/token_store/key_source/key_source.hpp"

namespace keyturn::sdk {
namespace {

/// A service that does not answer, or asks a person who does not answer, is given up after this.
constexpr std::chrono::seconds kLongestWait{10};

// The parts of libsecret's and GLib's binary interface that are used; both have kept it since their first
// stable release.
struct Attribute {
  const char* name;
  int type;
};
struct Schema {
  const char* name;
  int flags;
  Attribute attributes[32];
  int reserved;
  void* reserved_pointers[7];
};
struct GlibError {
  unsigned domain;
  int code;
  char* message;
};
constexpr int kMatchWithoutName = 0;
constexpr int kPlain = 0;
constexpr int kStringAttribute = 0;

const Schema kSchema = {"io.keyturn.TokenStore",
                        kMatchWithoutName,
                        {{"keyturn-token-store", kStringAttribute}, {nullptr, 0}},
                        0,
                        {}};

struct Library {
  char* (*lookup)(const Schema*, void* cancellable, GlibError** error, ...) = nullptr;
  int (*store)(const Schema*, const char* collection, const char* label, const char* password,
               void* cancellable, GlibError** error, ...) = nullptr;
  void (*wipe)(char*) = nullptr;
  void (*free_error)(GlibError*) = nullptr;
  void* (*new_cancellable)() = nullptr;
  void (*cancel)(void*) = nullptr;
  void (*unref)(void*) = nullptr;
  void* (*service)(int flags, void* cancellable, GlibError** error) = nullptr;
  void* (*collection)(void* service, const char* alias, int flags, void* cancellable,
                      GlibError** error) = nullptr;
  int (*is_locked)(void* collection) = nullptr;

  [[nodiscard]] bool complete() const {
    return lookup != nullptr && store != nullptr && wipe != nullptr && free_error != nullptr &&
           new_cancellable != nullptr && cancel != nullptr && unref != nullptr && service != nullptr &&
           collection != nullptr && is_locked != nullptr;
  }
};

template <class Function>
void find_symbol(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
}

/// Loaded once and kept: GLib cannot be unloaded.
const Library* library() {
  static const Library kLibrary = [] {
    Library out;
    void* const handle = ::dlopen("libsecret-1.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return out;
    find_symbol(handle, "secret_password_lookup_nonpageable_sync", out.lookup);
    find_symbol(handle, "secret_password_store_sync", out.store);
    find_symbol(handle, "secret_password_free", out.wipe);
    find_symbol(handle, "g_error_free", out.free_error);
    find_symbol(handle, "g_cancellable_new", out.new_cancellable);
    find_symbol(handle, "g_cancellable_cancel", out.cancel);
    find_symbol(handle, "g_object_unref", out.unref);
    find_symbol(handle, "secret_service_get_sync", out.service);
    find_symbol(handle, "secret_collection_for_alias_sync", out.collection);
    find_symbol(handle, "secret_collection_get_locked", out.is_locked);
    return out;
  }();
  return kLibrary.complete() ? &kLibrary : nullptr;
}

/// Cancels a call that lasts too long.
class Deadline {
 public:
  explicit Deadline(const Library& functions)
      : functions_(functions), cancellable_(functions.new_cancellable()), thread_([this] { watch(); }) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
    functions_.unref(cancellable_);
  }
  [[nodiscard]] void* cancellable() const { return cancellable_; }

 private:
  void watch() {
    name_thread("keyturn-keyring");
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kLongestWait, [this] { return over_; })) return;
    lock.unlock();
    functions_.cancel(cancellable_);
  }

  const Library& functions_;
  void* const cancellable_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

Error unavailable(const std::string& why) {
  return {ErrorCode::StoreKeyUnavailable,
          "the Secret Service, which keeps the key of the token store, cannot be used: " + why};
}

Error taken(const Library& functions, GlibError* error) {
  const std::string why = error->message == nullptr ? "no reason given" : error->message;
  functions.free_error(error);
  return unavailable(why);
}

class SecretServiceKey final : public KeySource {
 public:
  Result<std::optional<Secret>> find(std::string_view store_id) override {
    const Library* const functions = library();
    if (functions == nullptr) return unavailable("libsecret-1.so.0 is not installed");
    const Deadline deadline(*functions);
    GlibError* error = nullptr;
    const std::string id(store_id);
    char* const text = functions->lookup(&kSchema, deadline.cancellable(), &error, "keyturn-token-store",
                                         id.c_str(), static_cast<const char*>(nullptr));
    if (error != nullptr) return taken(*functions, error);
    if (text == nullptr) {
      if (is_locked(*functions, deadline)) return unavailable("the keyring is locked; unlock it");
      return std::optional<Secret>();
    }
    auto decoded = crypto::base64url_decode(text);
    functions->wipe(text);
    const bool fits = decoded && decoded->size() == kStoreKeySize;
    Secret key = fits ? Secret(*decoded) : Secret();
    if (decoded) wipe_memory(decoded->data(), decoded->size());
    if (!fits) return unavailable("the entry does not hold a key");
    return std::optional<Secret>(std::move(key));
  }

  Result<Secret> find_or_make(std::string_view store_id) override {
    auto found = find(store_id);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    if (auto stored = store(store_id, crypto::random_secret(kStoreKeySize)); !stored) return stored.error();
    // What it keeps counts, not what it was given.
    found = find(store_id);
    if (!found) return found.error();
    if (!*found) return unavailable("it does not keep what it is given");
    return std::move(**found);
  }

 private:
  /// Whether the keyring that new keys go to is locked: it may hold what was not found, and does not say.
  static bool is_locked(const Library& functions, const Deadline& deadline) {
    void* const service = functions.service(kPlain, deadline.cancellable(), nullptr);
    if (service == nullptr) return false;
    void* const keyring = functions.collection(service, "default", kPlain, deadline.cancellable(), nullptr);
    const bool locked = keyring != nullptr && functions.is_locked(keyring) != 0;
    if (keyring != nullptr) functions.unref(keyring);
    functions.unref(service);
    return locked;
  }

  static Result<void> store(std::string_view store_id, const Secret& key) {
    const Library* const functions = library();
    if (functions == nullptr) return unavailable("libsecret-1.so.0 is not installed");
    const Deadline deadline(*functions);
    GlibError* error = nullptr;
    const std::string id(store_id);
    std::string text = crypto::base64url_encode(key.reveal());
    const int done =
        functions->store(&kSchema, nullptr, "Keyturn token store", text.c_str(), deadline.cancellable(),
                         &error, "keyturn-token-store", id.c_str(), static_cast<const char*>(nullptr));
    wipe_memory(text.data(), text.size());
    if (error != nullptr) return taken(*functions, error);
    if (done == 0) return unavailable("the key was not kept");
    return {};
  }
};

}  // namespace

std::unique_ptr<KeySource> secret_service_key() { return std::make_unique<SecretServiceKey>(); }

}  // namespace keyturn::sdk
