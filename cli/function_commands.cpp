// SPDX-License-Identifier: Apache-2.0
#include "cli/function_commands.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

namespace keyturn::cli {
namespace {

namespace fs = std::filesystem;

Error unusable(const fs::path& file, const std::string& what) {
  return {ErrorCode::InvalidConfiguration, file.string() + ": " + what};
}

Result<std::string> read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) return unusable(file, "cannot be read");
  return text;
}

Result<Ejson> read_json(const fs::path& file) {
  auto text = read_file(file);
  if (!text) return text.error();
  auto value = Ejson::parse(*text);
  if (!value) return unusable(file, value.error().message);
  return value;
}

std::string member_text(const Ejson& value, std::string_view name) {
  const Ejson* member = value.find(name);
  const auto* text = member == nullptr ? nullptr : member->get_if<std::string>();
  return text == nullptr ? "" : *text;
}

using FolderSettings = std::map<std::string, EjsonDocument>;

// config.json of the folder: a list with one entry for each function.
Result<FolderSettings> read_settings(const fs::path& folder) {
  FolderSettings out;
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) return out;
  auto list = read_json(file);
  if (!list) return list.error();
  const auto* entries = list->get_if<EjsonArray>();
  if (entries == nullptr) return unusable(file, "is no list of functions");
  for (const Ejson& entry : *entries) {
    const std::string name = member_text(entry, "name");
    if (name.empty()) return unusable(file, "an entry has no name");
    if (!out.emplace(name, *entry.get_if<EjsonDocument>()).second)
      return unusable(file, "the function '" + name + "' is there twice");
  }
  return out;
}

Result<EjsonDocument> make_function(const std::string& name, const fs::path& source, EjsonDocument settings) {
  auto text = read_file(source);
  if (!text) return text.error();
  for (const char* of_another_app : {"_id", "id", "last_modified"}) settings.erase(of_another_app);
  settings.set("name", name);
  settings.set("source", std::move(*text));
  return settings;
}

Result<void> read_into(std::vector<EjsonDocument>& out, const fs::path& folder, const std::string& prefix,
                       FolderSettings& settings) {
  std::vector<fs::path> entries;
  std::error_code failure;
  for (auto at = fs::directory_iterator(folder, failure); !failure && at != fs::directory_iterator();
       at.increment(failure))
    entries.push_back(at->path());
  if (failure) return unusable(folder, failure.message());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    const std::string name = prefix + entry.stem().string();
    if (fs::is_directory(entry)) {
      if (entry.filename() == "node_modules") continue;
      if (!fs::exists(entry / "source.js")) {
        if (auto read = read_into(out, entry, prefix + entry.filename().string() + "/", settings); !read)
          return read;
        continue;
      }
      auto config =
          fs::exists(entry / "config.json") ? read_json(entry / "config.json") : Ejson(EjsonDocument());
      if (!config) return config.error();
      const auto* own = config->get_if<EjsonDocument>();
      if (own == nullptr) return unusable(entry / "config.json", "is no object");
      const std::string given = member_text(*config, "name");
      auto made = make_function(given.empty() ? name : given, entry / "source.js", *own);
      if (!made) return made.error();
      out.push_back(std::move(*made));
    } else if (entry.extension() == ".js") {
      auto own = settings.extract(name);
      auto made = make_function(name, entry, own ? std::move(own.mapped()) : EjsonDocument());
      if (!made) return made.error();
      out.push_back(std::move(*made));
    }
  }
  return {};
}

// Equal settings look equal: what is not there, null or empty is the default.
Ejson normal(const Ejson* value) {
  if (value == nullptr || value->is_null() || *value == Ejson(false) || *value == Ejson("") ||
      *value == Ejson(EjsonDocument()))
    return nullptr;
  return *value;
}

bool says_the_same(const Ejson& stored, const EjsonDocument& wanted) {
  const auto* members = stored.get_if<EjsonDocument>();
  if (members == nullptr) return false;
  for (const auto& [name, value] : wanted) {
    if (normal(stored.find(name)) != normal(&value)) return false;
  }
  return std::all_of(members->begin(), members->end(), [&](const auto& member) {
    return member.first == "_id" || member.first == "last_modified" ||
           normal(wanted.find(member.first)) == normal(&member.second);
  });
}

enum class Outcome { created, updated, unchanged };

Result<Outcome> put_in_place(Administrator& admin, const std::string& path, const std::string& id,
                             const EjsonDocument& wanted) {
  const std::string body = Ejson(wanted).to_relaxed();
  if (id.empty()) {
    auto made = admin.change("POST", path, body);
    if (!made) return made.error();
    return Outcome::created;
  }
  auto stored = admin.get(path + "/" + id);
  if (!stored) return stored.error();
  if (says_the_same(*stored, wanted)) return Outcome::unchanged;
  auto changed = admin.change("PUT", path + "/" + id, body);
  if (!changed) return changed.error();
  return Outcome::updated;
}

}  // namespace

Ejson argument_of(const std::string& text) {
  auto value = Ejson::parse(text);
  return value ? std::move(*value) : Ejson(text);
}

EjsonArray arguments_of(const std::vector<std::string>& guarded) {
  EjsonArray arguments;
  for (const std::string& text : guarded)
    arguments.push_back(argument_of(text.starts_with(' ') ? text.substr(1) : text));
  return arguments;
}

Answer call_function(const User& user, const CallChoice& choice) {
  const auto result = user.call_function(choice.name, arguments_of(choice.arguments)).result();
  if (!result) return answer_of(result.error());
  Answer answer;
  answer.json = {{"result", *result}};
  answer.text = result->to_relaxed();
  return answer;
}

Result<std::vector<EjsonDocument>> read_functions(const fs::path& folder) {
  if (!fs::is_directory(folder)) return unusable(folder, "is no folder");
  auto settings = read_settings(folder);
  if (!settings) return settings.error();
  std::vector<EjsonDocument> out;
  if (auto read = read_into(out, folder, "", *settings); !read) return read.error();
  if (!settings->empty())
    return unusable(folder / "config.json", "there is no file " + settings->begin()->first + ".js");
  if (out.empty()) return unusable(folder, "has no functions");
  return out;
}

Answer push_functions(Administrator& admin, const std::string& app_path, const fs::path& folder) {
  const auto functions = read_functions(folder);
  if (!functions) return answer_of(functions.error());
  const std::string path = app_path + "/functions";
  const auto known = admin.get(path);
  if (!known) return answer_of(known.error());
  std::map<std::string, std::string> ids;
  if (const auto* list = known->get_if<EjsonArray>()) {
    for (const Ejson& each : *list) ids[member_text(each, "name")] = member_text(each, "_id");
  }
  constexpr const char* kNames[] = {"created", "updated", "unchanged"};
  EjsonArray told[std::size(kNames)];
  EjsonArray failures;
  Answer answer;
  for (const EjsonDocument& function : *functions) {
    const std::string name = *function.find("name")->get_if<std::string>();
    const auto outcome = put_in_place(admin, path, ids[name], function);
    if (!answer.text.empty()) answer.text += "\n";
    if (outcome) {
      const auto which = static_cast<std::size_t>(*outcome);
      told[which].emplace_back(name);
      answer.text += std::string(kNames[which]) + " " + name;
      continue;
    }
    const Answer refused = answer_of(outcome.error());
    EjsonDocument failure = refused.json;
    failure.set("name", name);
    failures.emplace_back(std::move(failure));
    answer.text += "failed " + name + ": " + outcome.error().message + " (" +
                   std::string(to_string(outcome.error().code)) + ")";
    answer.code = refused.code;
  }
  for (std::size_t i = 0; i < std::size(kNames); ++i) answer.json.set(kNames[i], std::move(told[i]));
  answer.json.set("failed", std::move(failures));
  return answer;
}

}  // namespace keyturn::cli
