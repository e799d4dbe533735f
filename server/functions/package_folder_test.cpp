// SPDX-License-Identifier: Apache-2.0
#include "server/functions/package_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/json/json.hpp"

namespace keyturn::server::functions {
namespace {

namespace fs = std::filesystem;

class PackageFolderTest : public ::testing::Test {
 protected:
  PackageFolderTest()
      : folder_(fs::temp_directory_path() / ("packages." + std::to_string(::getpid()))),
        packages_(folder_.string()) {
    fs::remove_all(folder_);
    put("outside.js", "outside");
    put("app1/outside.js", "outside");
    put("app1/node_modules/plain/index.js", "plain");
    put("app1/node_modules/plain/lib/a.js", "a");
    put("app1/node_modules/plain/data.json", "{}");
    put("app1/node_modules/plain/node_modules/inner/index.js", "inner");
    put("app1/node_modules/main/package.json", R"({"main":"lib/start"})");
    put("app1/node_modules/main/lib/start.js", "start");
    put("app1/node_modules/@scope/tool/package.json",
        R"({"exports":{".":{"import":"./no.mjs","require":"./yes.cjs"},"./sub":"./deep/sub.js"},"main":"other.js"})");
    put("app1/node_modules/@scope/tool/yes.cjs", "yes");
    put("app1/node_modules/@scope/tool/deep/sub.js", "sub");
    put("app1/node_modules/native/index.js", "x");
    put("app1/node_modules/native/built.node", "x");
    put("app2/node_modules/secret/index.js", "of app2");
  }
  ~PackageFolderTest() override { fs::remove_all(folder_); }

  void put(const std::string& path, const std::string& content) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << content;
  }
  /// "path: source", or the refusal.
  [[nodiscard]] std::string find(const std::string& from, const std::string& name,
                                 std::string_view app = "app1") const {
    const json::Value answer(packages_.answer(app, {json::Value(from), json::Value(name)}));
    const json::Value* found = answer.find("v");
    if (found == nullptr) return std::string(answer.find("e")->string_at("message").value());
    return std::string(found->string_at("path").value()) + ": " +
           std::string(found->string_at("source").value());
  }

  const fs::path folder_;
  const PackageFolder packages_;
};

TEST_F(PackageFolderTest, FindsModulesAsNodeDoes) {
  EXPECT_EQ(find("", "plain"), "plain/index.js: plain");
  EXPECT_EQ(find("", "plain/lib/a"), "plain/lib/a.js: a");
  EXPECT_EQ(find("", "plain/lib/a.js"), "plain/lib/a.js: a");
  EXPECT_EQ(find("plain/index.js", "./lib/a"), "plain/lib/a.js: a");
  EXPECT_EQ(find("plain/lib/a.js", "../data.json"), "plain/data.json: {}");
  EXPECT_EQ(find("plain/lib/a.js", ".."), "plain/index.js: plain");
  EXPECT_EQ(find("plain/lib/a.js", "inner"), "plain/node_modules/inner/index.js: inner");
  EXPECT_EQ(find("plain/lib/a.js", "main"), "main/lib/start.js: start");
  EXPECT_EQ(find("", "@scope/tool"), "@scope/tool/yes.cjs: yes");
  EXPECT_EQ(find("", "@scope/tool/sub"), "@scope/tool/deep/sub.js: sub");
  EXPECT_EQ(find("", "inner"), "Cannot find module 'inner'");
}

TEST_F(PackageFolderTest, NeverLeavesTheAppsFolder) {
  fs::create_symlink(folder_ / "outside.js", folder_ / "app1/node_modules/link.js");
  fs::create_directory_symlink(folder_ / "app2/node_modules/secret", folder_ / "app1/node_modules/other");
  fs::create_directory_symlink("/etc", folder_ / "app1/node_modules/etc");
  put("app1/node_modules/liar/package.json", R"({"main":"../../outside.js","exports":null})");
  put("app1/node_modules/liar2/package.json", R"({"exports":"../../outside.js"})");
  for (const char* name : {"link", "link.js", "other", "etc/passwd", "liar", "liar2", "../outside.js",
                           "../outside", "./../outside.js", "plain/../../outside.js", "/etc/passwd", "", ".",
                           "..", "secret", "../../app2/node_modules/secret"}) {
    EXPECT_EQ(find("", name), std::string("Cannot find module '") + name + "'");
  }
  EXPECT_EQ(find("../../../../etc/x", "./passwd"), "Cannot find module './passwd'");
  EXPECT_EQ(find("/etc/x", "./passwd"), "Cannot find module './passwd'");
  EXPECT_EQ(find("../outside.js", "./outside"), "Cannot find module './outside'");
  EXPECT_EQ(find("", std::string("plain\0x", 7)), std::string("Cannot find module 'plain\0x'", 28));
  EXPECT_EQ(find("", "secret", "app2"), "secret/index.js: of app2");
  for (const char* app : {"", ".", "..", "app1/../app2", "none"}) {
    EXPECT_EQ(find("", "secret", app), "Cannot find module 'secret'") << app;
  }
}

TEST_F(PackageFolderTest, RefusesWhatNoFunctionCanRun) {
  put("app1/node_modules/esm/package.json", R"({"main":"x.mjs"})");
  put("app1/node_modules/esm/x.mjs", "export default 1");
  put("app1/node_modules/large/index.js", std::string(4 * 1024 * 1024 + 1, ' '));
  put("app1/node_modules/fits/index.js", std::string(4 * 1024 * 1024, ' '));
  EXPECT_EQ(find("", "esm"), "'esm' is an ES module; only CommonJS can be required");
  EXPECT_EQ(find("", "native/built.node"),
            "'native/built.node' is a native module; only JavaScript can be required");
  EXPECT_EQ(find("", "large"), "'large' cannot be read, or is larger than 4 MB");
  EXPECT_EQ(find("", "fits").substr(0, 14), "fits/index.js:");
  EXPECT_TRUE(json::Value(packages_.answer("app1", {})).find("e") != nullptr);
  EXPECT_EQ(
      json::write(json::Value(PackageFolder("").answer("app1", {json::Value(""), json::Value("plain")}))),
      R"({"e":{"message":"Cannot find module 'plain'"}})");
}

TEST_F(PackageFolderTest, ListsWhatIsInstalled) {
  put("app1/node_modules/main/package.json", R"({"version":"1.2.3","main":"lib/start"})");
  put("app1/node_modules/.bin/tool", "not a package");
  put("app1/node_modules/broken/package.json", "{");
  fs::create_directory_symlink(folder_ / "app2/node_modules/secret", folder_ / "app1/node_modules/linked");
  put("app2/node_modules/secret/package.json", R"({"version":"9.9.9"})");
  App app;
  app.id = "app1";
  const auto installed = packages_.installed(app);
  ASSERT_TRUE(installed.has_value());
  std::string all;
  for (const AppPackage& each : installed->packages) all += each.name + "@" + each.version + " ";
  EXPECT_EQ(all, "@scope/tool@ main@1.2.3 ");
  EXPECT_GT(installed->last_modified.time_since_epoch().count(), 0);
  app.id = "app3";
  EXPECT_FALSE(packages_.installed(app).has_value());
  app.id = "../app1";
  EXPECT_FALSE(packages_.installed(app).has_value());
}

}  // namespace
}  // namespace keyturn::server::functions
