// SPDX-License-Identifier: Apache-2.0
#include "server/functions/package_folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/json/json.hpp"

namespace keyturn::server::functions {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxModuleBytes = std::size_t{4} * 1024 * 1024;
constexpr std::size_t kMaxNameBytes = 512;
constexpr int kMaxConditions = 8;
constexpr std::size_t kMostPackages = 2'000;

json::Object refuse(std::string message) { return {{"e", json::Object{{"message", std::move(message)}}}}; }

bool is_within(const fs::path& path, const fs::path& root) {
  const auto [at, end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  static_cast<void>(end);
  return at == root.end();
}

/// The file with links followed, when it is one and lies below `root`.
std::optional<fs::path> file_at(const fs::path& candidate, const fs::path& root) {
  std::error_code fault;
  fs::path real = fs::canonical(candidate, fault);
  if (fault || !is_within(real, root) || !fs::is_regular_file(real, fault)) return std::nullopt;
  return real;
}

std::optional<std::string> package_file_content(const fs::path& path) {
  std::error_code fault;
  const auto size = fs::file_size(path, fault);
  if (fault || size > kMaxModuleBytes) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file && !file.eof()) return std::nullopt;
  return content;
}

/// What an entry of `exports` says for CommonJS.
std::optional<std::string> target_of(const json::Value* entry, int depth = 0) {
  if (entry == nullptr || depth > kMaxConditions) return std::nullopt;
  if (const std::string* path = entry->as_string()) return *path;
  for (const char* condition : {"require", "node", "default"}) {
    if (auto target = target_of(entry->find(condition), depth + 1)) return target;
  }
  return std::nullopt;
}

/// Finds modules below one root as Node.js does for CommonJS.
class Search {
 public:
  explicit Search(fs::path root) : root_(std::move(root)) {}

  [[nodiscard]] std::optional<fs::path> find(const fs::path& from_folder, const std::string& name) const {
    if (name.starts_with("./") || name.starts_with("../") || name == "." || name == "..") {
      return module_at(from_folder / name);
    }
    for (fs::path folder = from_folder; is_within(folder, root_); folder = folder.parent_path()) {
      const fs::path packages = folder == root_ ? root_ : folder / "node_modules";
      if (auto found = in_packages(packages, name)) return found;
      if (folder == root_) break;
    }
    return std::nullopt;
  }

  /// The package.json of a folder below the root.
  [[nodiscard]] std::optional<json::Value> description_of(const fs::path& package) const {
    const auto file = file_at(package / "package.json", root_);
    const auto text = file ? package_file_content(*file) : std::nullopt;
    if (!text) return std::nullopt;
    auto parsed = json::parse(*text, {kMaxModuleBytes, 32, json::DuplicateNames::last_wins});
    if (!parsed) return std::nullopt;
    return *std::move(parsed);
  }

 private:
  [[nodiscard]] std::optional<fs::path> in_packages(const fs::path& packages, const std::string& name) const {
    std::size_t end = name.find('/');
    if (name.starts_with("@") && end != std::string::npos) end = name.find('/', end + 1);
    const fs::path package = packages / name.substr(0, end);
    const std::string inner = end == std::string::npos ? "." : "." + name.substr(end);
    if (const auto description = description_of(package)) {
      const json::Value* exports = description->find("exports");
      if (const json::Value* entry = exports == nullptr ? nullptr : exports->find(inner)) {
        exports = entry;
      } else if (inner != ".") {
        exports = nullptr;
      }
      if (const auto target = target_of(exports)) return file_at(package / *target, root_);
    }
    return module_at(end == std::string::npos ? package : package / inner);
  }

  [[nodiscard]] std::optional<fs::path> module_at(const fs::path& path) const {
    for (const char* ending : {"", ".js", ".cjs", ".json"}) {
      if (auto found = file_at(path.string() + ending, root_)) return found;
    }
    if (const auto description = description_of(path)) {
      const std::string main(description->string_at("main").value_or(""));
      for (const char* ending : {"", ".js", "/index.js"}) {
        if (main.empty()) break;
        if (auto found = file_at((path / main).string() + ending, root_)) return found;
      }
    }
    for (const char* name : {"index.js", "index.cjs", "index.json"}) {
      if (auto found = file_at(path / name, root_)) return found;
    }
    return std::nullopt;
  }

  fs::path root_;
};

}  // namespace

std::optional<PackageFolder::Path> PackageFolder::root_of(std::string_view app_id) const {
  const bool is_name = !app_id.empty() && std::all_of(app_id.begin(), app_id.end(),
                                                      [](unsigned char c) { return std::isalnum(c) != 0; });
  if (folder_.empty() || !is_name) return std::nullopt;
  std::error_code fault;
  Path root = fs::canonical(Path(folder_) / app_id / "node_modules", fault);
  return fault ? std::nullopt : std::optional<Path>(std::move(root));
}

std::optional<InstalledPackages> PackageFolder::installed(const App& app) const {
  const auto root = root_of(app.id);
  struct stat about {};
  if (!root || ::stat(root->c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) return std::nullopt;
  InstalledPackages out;
  out.last_modified = WallTime(std::chrono::seconds(about.st_mtim.tv_sec));
  const Search search(*root);
  const auto add_all = [&](const fs::path& folder, const std::string& scope, const auto& self) -> void {
    std::error_code fault;
    for (fs::directory_iterator each(folder, fs::directory_options::skip_permission_denied, fault), end;
         !fault && each != end && out.packages.size() < kMostPackages; each.increment(fault)) {
      const std::string name = each->path().filename().string();
      if (name.starts_with(".")) continue;
      if (name.starts_with("@") && scope.empty()) {
        self(each->path(), name + "/", self);
      } else if (const auto description = search.description_of(each->path())) {
        out.packages.push_back({scope + name, std::string(description->string_at("version").value_or(""))});
      }
    }
  };
  add_all(*root, {}, add_all);
  std::sort(out.packages.begin(), out.packages.end(),
            [](const AppPackage& a, const AppPackage& b) { return a.name < b.name; });
  return out;
}

json::Object PackageFolder::answer(std::string_view app_id, const json::Array& question) const {
  const std::string* from = question.size() == 2 ? question[0].as_string() : nullptr;
  const std::string* name = question.size() == 2 ? question[1].as_string() : nullptr;
  if (from == nullptr || name == nullptr) return refuse("require needs a module's name");
  const std::string missing = "Cannot find module '" + name->substr(0, kMaxNameBytes) + "'";
  const auto root = root_of(app_id);
  const bool is_name = !name->empty() && name->size() <= kMaxNameBytes && name->front() != '/' &&
                       name->find('\0') == std::string::npos && from->find('\0') == std::string::npos;
  if (!root || !is_name) return refuse(missing);
  // A worker could name any path as the one that asks; what it finds lies below the root all the same.
  const Path folder = (*root / *from).lexically_normal().parent_path();
  const auto file = Search(*root).find(from->empty() || !is_within(folder, *root) ? *root : folder, *name);
  if (!file) return refuse(missing);
  if (file->extension() == ".mjs")
    return refuse("'" + *name + "' is an ES module; only CommonJS can be required");
  if (file->extension() == ".node")
    return refuse("'" + *name + "' is a native module; only JavaScript can be required");
  auto source = package_file_content(*file);
  if (!source) return refuse("'" + *name + "' cannot be read, or is larger than 4 MB");
  return {{"v",
           json::Object{{"path", file->lexically_relative(*root).string()}, {"source", *std::move(source)}}}};
}

}  // namespace keyturn::server::functions
