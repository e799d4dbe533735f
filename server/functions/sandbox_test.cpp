// SPDX-License-Identifier: Apache-2.0
// What the process of a worker may do when its language holds nothing any more: the program here has all of
// Node.js at its hands, as if a function had broken out (rows B-85, B-89).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "server/functions/testing/runtime_fixture.hpp"
#include "server/functions/worker_process.hpp"

namespace keyturn::server::functions {
namespace {

constexpr const char* kPrelude = R"JS(
const fs = require('fs');
const say = (value) => {
  const text = Buffer.from(JSON.stringify({t: 'ret', id: 1, v: value === undefined ? null : value}));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(text.length);
  fs.writeSync(3, Buffer.concat([head, text]));
};
const told = (e) => 'refused ' + ((e && (e.code || e.message)) || e);
const settled = (emitter, good) => new Promise((resolve) => {
  emitter.on('error', (e) => resolve(told(e)));
  emitter.on(good, () => resolve('DONE'));
});
process.on('uncaughtException', (e) => say(told(e)));
const attempt = async () => {)JS";
constexpr const char* kEnd = R"JS(
};
attempt().then(say, (e) => say(told(e)));
setInterval(() => {}, 1000);
)JS";

class SandboxTest : public ::testing::Test {
 protected:
  static std::unique_ptr<WorkerProcess> worker_of(const std::string& body) {
    WorkerCommand command{KEYTURN_FUNCTION_LAUNCHER, KEYTURN_NODE, std::string(kPrelude) + body + kEnd,
                          default_node_flags()};
    auto started = WorkerProcess::start(command);
    EXPECT_TRUE(started.has_value()) << started.error().message;
    return started ? *std::move(started) : nullptr;
  }
  static std::string said_by(WorkerProcess& worker) {
    WorkerMessage message;
    const auto io =
        worker.receive(message, system_clock().boot_now() + std::chrono::seconds(10), system_clock());
    if (io != WorkerProcess::Io::done) return io == WorkerProcess::Io::closed ? "closed" : "no answer";
    auto* result = std::get_if<WorkerResult>(&message);
    if (result == nullptr) return "another message";
    return result->value.as_string() != nullptr ? *result->value.as_string() : json::write(result->value);
  }
  /// What the attempt came to: its value, "refused <code>", or "closed" when the process died of it.
  static std::string outcome(const std::string& body) {
    const auto worker = worker_of(body);
    return worker == nullptr ? "not started" : said_by(*worker);
  }
  static bool is_refused(const std::string& text) { return text.starts_with("refused ") || text == "closed"; }
  static std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
};

TEST_F(SandboxTest, ReadsNoFile) {
  const auto parent = std::to_string(::getpid());
  const auto own = std::filesystem::temp_directory_path() / ("readable." + parent);
  std::ofstream(own) << "secret";
  std::filesystem::permissions(own, std::filesystem::perms::all);
  const auto link = own.string() + ".link";
  std::filesystem::create_symlink(own, link);
  std::string list = "[";
  for (const std::string& path :
       {own.string(), link, std::string("/etc/passwd"), std::string("/etc/hostname"),
        std::string("/proc/self/environ"), std::string("/proc/self/maps"), std::string("/proc/self/mem"),
        std::string("/proc/version"), "/proc/" + parent + "/environ", "/proc/" + parent + "/cmdline",
        "/proc/" + parent + "/maps", "/proc/" + parent + "/mem", std::string("/dev/zero"),
        std::string("/dev/mem"), std::string("/sys/kernel/osrelease"),
        std::string(KEYTURN_FUNCTION_HOST) + "/worker.js", std::string(KEYTURN_FUNCTION_LAUNCHER)}) {
    list += json::write(json::Value(path)) + ",";
  }
  EXPECT_EQ(
      outcome(
          "return " + list +
          "].filter((path) => { try { fs.readFileSync(path); return true } catch (e) { return false } })"),
      "[]");
  EXPECT_EQ(
      outcome("return ['/', '.', '/tmp', '/proc', '/proc/self/fd', '/etc', '/usr/bin', "
              "'/usr/lib/x86_64-linux-gnu']"
              ".filter((path) => { try { fs.readdirSync(path); return true } catch (e) { return false } })"),
      "[]");
  for (const std::string& link_path :
       {"/proc/" + parent + "/exe", "/proc/" + parent + "/cwd", "/proc/" + parent + "/fd/0"}) {
    EXPECT_TRUE(is_refused(outcome("return fs.readlinkSync('" + link_path + "')"))) << link_path;
  }
  std::filesystem::remove(own);
  std::filesystem::remove(link);
}

TEST_F(SandboxTest, ChangesNoFile) {
  const auto folder = std::filesystem::temp_directory_path() / ("writable." + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  std::ofstream(folder / "there") << "as it was";
  std::filesystem::permissions(folder / "there", std::filesystem::perms::all);
  const std::string in = "const d = " + json::write(json::Value(folder.string())) + " + '/';";
  for (const char* body :
       {"fs.writeFileSync(d + 'new', 'x')", "fs.writeFileSync(d + 'there', 'x')",
        "fs.appendFileSync(d + 'there', 'x')", "fs.openSync(d + 'there', 'r+')",
        "fs.truncateSync(d + 'there')", "fs.unlinkSync(d + 'there')", "fs.renameSync(d + 'there', d + 'new')",
        "fs.mkdirSync(d + 'new')", "fs.rmdirSync(d)", "fs.symlinkSync('/etc/passwd', d + 'new')",
        "fs.linkSync(d + 'there', d + 'new')", "fs.chmodSync(d + 'there', 0)",
        "fs.chownSync(d + 'there', 1, 1)", "fs.utimesSync(d + 'there', 1, 1)", "fs.mkdtempSync(d)",
        "fs.copyFileSync(d + 'there', d + 'new')", "fs.cpSync(d, d + '../new', {recursive: true})",
        "fs.writeFileSync('/dev/shm/new', 'x')", "process.chdir('/')"}) {
    EXPECT_TRUE(is_refused(outcome(in + "return " + body + " || 'DONE'"))) << body;
  }
  EXPECT_EQ(content_of(folder / "there"), "as it was");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST_F(SandboxTest, StartsNoProcess) {
  for (const char* body :
       {"return require('child_process').spawnSync('/bin/sh', ['-c', 'true']).error || 'DONE'",
        "return require('child_process').execFileSync(process.execPath, ['-e', '1']) && 'DONE'",
        "return await settled(require('child_process').spawn(process.execPath, ['-e', '1']), 'spawn')",
        "return require('child_process').execSync('id').toString()",
        "return await settled(require('cluster').fork(), 'online')"}) {
    const std::string text = outcome(body);
    EXPECT_TRUE(is_refused(text) || text.find("EPERM") != std::string::npos) << body << " " << text;
  }
}

TEST_F(SandboxTest, ReachesNoNetwork) {
  // Something that would answer, so that a refusal is the sandbox's.
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = std::filesystem::temp_directory_path() / ("sandbox." + std::to_string(::getpid()));
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  std::filesystem::permissions(path, std::filesystem::perms::all);
  for (const std::string& body :
       {std::string("return await settled(require('net').connect(80, '127.0.0.1'), 'connect')"),
        std::string("return await settled(require('net').connect(80, '93.184.216.34'), 'connect')"),
        std::string("return await settled(require('net').connect(80, '::1'), 'connect')"),
        "return await settled(require('net').connect('" + path.string() + "'), 'connect')",
        std::string("return await settled(require('net').createServer().listen(0), 'listening')"),
        std::string("return await settled(require('net').createServer().listen('\\0abstract'), 'listening')"),
        std::string("return await settled(require('dgram').createSocket('udp4').bind(0), 'listening')"),
        std::string("return await new Promise((r) => { const s = require('dgram').createSocket('udp4'); "
                    "s.on('error', (e) => r(told(e)));"
                    " s.send('x', 53, '127.0.0.1', (e) => r(e ? told(e) : 'DONE')) })"),
        std::string("return await settled(require('http').get('http://127.0.0.1/'), 'response')"),
        std::string("return await settled(require('tls').connect(443, '127.0.0.1'), 'secureConnect')"),
        std::string("return await require('dns').promises.resolve4('example.org') && 'DONE'"),
        std::string("require('inspector').open(0); return require('inspector').url() ? 'DONE' : "
                    "'refused'.concat(' inspector')")}) {
    const std::string text = outcome(body);
    EXPECT_TRUE(is_refused(text)) << body << " " << text;
    // That would mean it reached the kernel's network. (The resolver's code is its own word for "no socket".)
    const bool is_resolver = body.find("dns") != std::string::npos;
    EXPECT_TRUE(is_resolver || text.find("ECONNREFUSED") == std::string::npos) << body;
  }
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  EXPECT_LT(::accept(listener, nullptr, nullptr), 0);
  ::close(listener);
  std::filesystem::remove(path);
}

TEST_F(SandboxTest, SendsNoSignalAndGetsNoRights) {
  const auto parent = std::to_string(::getpid());
  for (const std::string& body :
       {"return process.kill(" + parent + ", 0) && 'DONE'",
        "return process.kill(" + parent + ", 'SIGKILL') && 'DONE'",
        std::string("return process.kill(-1, 'SIGKILL') && 'DONE'"),
        std::string("return process.kill(1, 'SIGTERM') && 'DONE'"),
        "return process._debugProcess(" + parent + ") || 'DONE'",
        std::string("process.setuid(0); return process.getuid() === 0 ? 'DONE' : 'refused'.concat(' uid')"),
        std::string("return process.setgroups([0]) || 'DONE'"),
        std::string("return require('os').setPriority(" + parent + ", -5) || 'DONE'"),
        std::string("const m = {exports: {}}; return process.dlopen(m, "
                    "'/usr/lib/x86_64-linux-gnu/libc.so.6') || 'DONE'")}) {
    const std::string text = outcome(body);
    EXPECT_TRUE(is_refused(text)) << body << " " << text;
  }
}

TEST_F(SandboxTest, HasNeitherEnvironmentNorFilesNorRights) {
  const auto worker = worker_of(
      "const open = []; for (let i = 0; i < 64; i++) try { const s = fs.fstatSync(i); "
      "if (s.isFile() || s.isDirectory() || s.isSocket() || s.isBlockDevice()) open.push(i) } catch (e) {} "
      "return [Object.keys(process.env).sort(), open]");
  ASSERT_NE(worker, nullptr);
  // 0 is its program, 3 its socket.
  EXPECT_EQ(said_by(*worker), R"([["OPENSSL_CONF","UV_THREADPOOL_SIZE"],[0,3]])");
  const std::string folder = "/proc/" + std::to_string(worker->pid());
  std::istringstream status(content_of(folder + "/status"));
  std::map<std::string, std::string> lines;
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t begin = line.find_first_not_of("\t ", colon + 1);
    lines[line.substr(0, colon)] = begin == std::string::npos ? "" : line.substr(begin);
  }
  EXPECT_EQ(lines["NoNewPrivs"], "1");
  EXPECT_EQ(lines["Seccomp"], "2");
  EXPECT_EQ(lines["CapEff"], "0000000000000000");
  EXPECT_EQ(lines["CapPrm"], "0000000000000000");
  if (::geteuid() == 0) {
    EXPECT_EQ(lines["Uid"], "65534\t65534\t65534\t65534");
    EXPECT_EQ(lines["Gid"], "65534\t65534\t65534\t65534");
    EXPECT_EQ(lines["Groups"], "");
  }
}

TEST_F(SandboxTest, HoldsNoSecretOfTheServerInItsMemory) {
  const std::string secret = crypto::random_bytes(32);  // as a signing key lies about in the server
  const auto worker = worker_of("return 'up'");
  ASSERT_NE(worker, nullptr);
  ASSERT_EQ(said_by(*worker), "up");
  const std::string folder = "/proc/" + std::to_string(worker->pid());
  const int memory = ::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0) GTEST_SKIP() << "reading another process's memory needs root";
  std::istringstream maps(content_of(folder + "/maps"));
  std::size_t searched = 0;
  for (std::string line; std::getline(maps, line);) {
    std::size_t begin = 0;
    std::size_t end = 0;
    char dash = 0;
    std::string rights;
    std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
    if (rights[0] != 'r' || end - begin > std::size_t{256} * 1024 * 1024) continue;
    std::string bytes(end - begin, '\0');
    const ssize_t got = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(begin));
    if (got <= 0) continue;
    searched += static_cast<std::size_t>(got);
    EXPECT_EQ(bytes.find(secret), std::string::npos) << line;
  }
  ::close(memory);
  EXPECT_GT(searched, std::size_t{10} * 1024 * 1024);
}

TEST_F(SandboxTest, HasItsLimits) {
  const auto worker = worker_of("return 'up'");
  ASSERT_NE(worker, nullptr);
  ASSERT_EQ(said_by(*worker), "up");
  const std::string limits = content_of("/proc/" + std::to_string(worker->pid()) + "/limits");
  for (const char* line : {"Max core file size        1                    1",
                           "Max file size             0                    0",
                           "Max data size             402653184            402653184",
                           "Max open files            32                   32",
                           "Max locked memory         0                    0",
                           "Max msgqueue size         0                    0"}) {
    EXPECT_NE(limits.find(line), std::string::npos) << line << "\n" << limits;
  }
}

TEST_F(SandboxTest, DiesOfWhatItDoesToItself) {
  EXPECT_EQ(outcome("process.abort()"), "closed");
  EXPECT_EQ(outcome("process.exit(0)"), "closed");
  EXPECT_EQ(outcome("process.reallyExit(3)"), "closed");
  EXPECT_EQ(outcome("fs.closeSync(3); return 1"), "closed");
  EXPECT_EQ(outcome("const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))").substr(0, 7), "refused");
  // Threads after a break-out share the limits of their process.
  const auto worker = worker_of(
      "const { Worker } = require('worker_threads'); for (let i = 0; i < 40; i++) try { const w = new Worker("
      "'const a = []; for (;;) a.push(new Array(1e6).fill(1.5))', {eval: true}); w.on('error', () => {}) } "
      "catch (e) {} "
      "return await new Promise(() => {})");
  ASSERT_NE(worker, nullptr);
  const BootTime deadline = system_clock().boot_now() + std::chrono::seconds(2);
  std::size_t most = 0;
  while (system_clock().boot_now() < deadline && !worker->try_reap())
    most = std::max(most, worker->data_bytes());
  EXPECT_LE(most, std::size_t{384 + 64} * 1024 * 1024);
}

TEST_F(SandboxTest, DiesWithTheThreadThatStartedIt) {
  pid_t pid = 0;
  std::unique_ptr<WorkerProcess> worker;
  std::thread([&] {
    worker = worker_of("return 'up'");
    ASSERT_NE(worker, nullptr);
    ASSERT_EQ(said_by(*worker), "up");
    pid = worker->pid();
  }).join();
  ASSERT_GT(pid, 0);
  const BootTime deadline = system_clock().boot_now() + std::chrono::seconds(10);
  while (!worker->try_reap() && system_clock().boot_now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(WIFSIGNALED(worker->exit_status()) && WTERMSIG(worker->exit_status()) == SIGKILL);
}

}  // namespace
}  // namespace keyturn::server::functions
