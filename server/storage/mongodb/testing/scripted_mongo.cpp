// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/testing/scripted_mongo.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "core/ejson/bson.hpp"

namespace keyturn::server::mongodb::testing {
namespace {

constexpr std::size_t kHeaderBytes = 16;
constexpr std::int32_t kReply = 1;
constexpr std::int32_t kQuery = 2004;
constexpr std::int32_t kMessage = 2013;
constexpr std::size_t kMostBytes = std::size_t{64} * 1024 * 1024;
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kAwaitsData{50};  // as a server waits for new changes

/// Little endian, as the wire and the machines this runs on have it.
std::int32_t number_at(std::string_view bytes, std::size_t at) {
  std::int32_t value = 0;
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void put(std::string& bytes, std::int32_t value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool read_all(int socket, std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::recv(socket, bytes.data() + done, bytes.size() - done, 0);
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

void write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t document_size(std::string_view bytes, std::size_t at) {
  const std::int32_t size = number_at(bytes, at);
  return size < 5 || at + static_cast<std::size_t>(size) > bytes.size() ? 0 : static_cast<std::size_t>(size);
}

EjsonDocument document_at(std::string_view bytes, std::size_t at) {
  const std::size_t size = document_size(bytes, at);
  auto read = ejson::from_bson(bytes.substr(at, size));
  return read ? std::move(*read) : EjsonDocument();
}

/// The sections of an OP_MSG, with document sequences put into the body as arrays.
EjsonDocument message_of(std::string_view bytes) {
  EjsonDocument body;
  std::vector<std::pair<std::string, EjsonArray>> sequences;
  std::size_t at = 4;  // behind the flags
  while (at < bytes.size()) {
    const char kind = bytes[at++];
    if (kind == 0) {
      const std::size_t size = document_size(bytes, at);
      if (size == 0) break;
      body = document_at(bytes, at);
      at += size;
      continue;
    }
    const std::size_t end = at + static_cast<std::size_t>(std::max(0, number_at(bytes, at)));
    at += 4;
    const std::string name(bytes.substr(at).data());
    at += name.size() + 1;
    EjsonArray list;
    while (at < end) {
      const std::size_t size = document_size(bytes, at);
      if (size == 0) return body;
      list.emplace_back(document_at(bytes, at));
      at += size;
    }
    sequences.emplace_back(name, std::move(list));
  }
  for (auto& [name, list] : sequences) body.set(name, std::move(list));
  return body;
}

/// The one document of an OP_QUERY: behind the flags, the collection's name, and two numbers.
EjsonDocument query_of(std::string_view bytes) {
  const std::size_t name_end = bytes.find('\0', 4);
  return name_end == std::string_view::npos ? EjsonDocument() : document_at(bytes, name_end + 1 + 8);
}

std::string reply_to(std::int32_t request, std::int32_t operation, const EjsonDocument& body) {
  std::string content;
  put(content, 0);  // flags
  if (operation == kQuery) {
    content.append(8, '\0');  // no cursor
    put(content, 0);
    put(content, 1);  // one document
  } else {
    content += '\0';  // a body follows
  }
  content += *ejson::to_bson(body);
  std::string bytes;
  put(bytes, static_cast<std::int32_t>(kHeaderBytes + content.size()));
  put(bytes, 1);
  put(bytes, request);
  put(bytes, operation == kQuery ? kReply : kMessage);
  return bytes + content;
}

bool is_greeting(std::string_view name) {
  return name == "hello" || name == "isMaster" || name == "ismaster";
}

std::string name_of(const EjsonDocument& command) {
  return command.empty() ? std::string() : command.begin()->first;
}

}  // namespace

ScriptedMongo::ScriptedMongo(bool in_replica_set) : in_replica_set_(in_replica_set) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no port for a server");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

ScriptedMongo::~ScriptedMongo() {
  std::vector<std::thread> threads;
  {
    const std::scoped_lock lock(mutex_);
    stops_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  threads.swap(threads_);
  for (std::thread& each : threads) each.join();
  for (const int socket : sockets_) ::close(socket);
}

std::string ScriptedMongo::uri() const { return "mongodb://127.0.0.1:" + std::to_string(port_) + "/"; }

void ScriptedMongo::answer(std::string_view command, std::string_view text) {
  auto body = Ejson::parse(text);
  const auto* document = body ? body->get_if<EjsonDocument>() : nullptr;
  const std::scoped_lock lock(mutex_);
  script_.emplace_back(std::string(command),
                       Answer{document == nullptr ? EjsonDocument() : *document, Trouble::none});
  changed_.notify_all();
}

void ScriptedMongo::answer(std::string_view command, Trouble trouble) {
  const std::scoped_lock lock(mutex_);
  script_.emplace_back(std::string(command), Answer{{{"ok", 1.0}}, trouble});
}

void ScriptedMongo::fall_silent() {
  const std::scoped_lock lock(mutex_);
  silent_ = true;
}

std::vector<std::string> ScriptedMongo::commands() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> texts;
  for (EjsonDocument each : commands_) {
    for (const char* added : {"$db", "lsid", "$clusterTime", "$readPreference"}) each.erase(added);
    texts.push_back(Ejson(std::move(each)).to_canonical());
  }
  return texts;
}

EjsonDocument ScriptedMongo::last(std::string_view command) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find_if(commands_.rbegin(), commands_.rend(),
                                  [&](const EjsonDocument& each) { return name_of(each) == command; });
  return found == commands_.rend() ? EjsonDocument() : *found;
}

bool ScriptedMongo::wait_for(std::string_view command, std::size_t times) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] {
    return static_cast<std::size_t>(
               std::count_if(commands_.begin(), commands_.end(),
                             [&](const EjsonDocument& each) { return name_of(each) == command; })) >= times;
  });
}

void ScriptedMongo::accept() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::scoped_lock lock(mutex_);
    sockets_.push_back(socket);
    if (stops_) return;
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void ScriptedMongo::serve(int socket) {
  while (serve_one(socket)) {
  }
  ::shutdown(socket, SHUT_RDWR);
}

EjsonDocument ScriptedMongo::greeting() const {
  const std::string me = "127.0.0.1:" + std::to_string(port_);
  EjsonDocument out{{"helloOk", true},
                    {"isWritablePrimary", true},
                    {"ismaster", true},
                    {"maxBsonObjectSize", std::int32_t{16'777'216}},
                    {"maxMessageSizeBytes", std::int32_t{48'000'000}},
                    {"maxWriteBatchSize", std::int32_t{100'000}},
                    {"logicalSessionTimeoutMinutes", std::int32_t{30}},
                    {"minWireVersion", std::int32_t{0}},
                    {"maxWireVersion", std::int32_t{13}}};
  if (in_replica_set_) {
    out.set("setName", "rs");
    out.set("setVersion", std::int32_t{1});
    out.set("hosts", EjsonArray{me});
    out.set("me", me);
    out.set("primary", me);
  }
  out.set("ok", 1.0);
  return out;
}

ScriptedMongo::Answer ScriptedMongo::answer_to(const EjsonDocument& command) {
  const std::string name = name_of(command);
  std::unique_lock lock(mutex_);
  if (is_greeting(name)) return {greeting(), silent_ ? Trouble::silence : Trouble::none};
  if (name != "ping" && name != "endSessions") commands_.push_back(command);
  const auto scripted = [&] {
    return std::find_if(script_.begin(), script_.end(), [&](const auto& each) { return each.first == name; });
  };
  if (name == "getMore") {
    changed_.notify_all();
    changed_.wait_for(lock, kAwaitsData, [&] { return stops_ || scripted() != script_.end(); });
  }
  const auto found = scripted();
  if (found == script_.end()) {
    if (name == "getMore") {  // nothing new
      return {{{"cursor", EjsonDocument{{"id", std::int64_t{1}}, {"ns", "d.c"}, {"nextBatch", EjsonArray{}}}},
               {"ok", 1.0}},
              Trouble::none};
    }
    return {{{"ok", 1.0}}, Trouble::none};
  }
  Answer answer = std::move(found->second);
  script_.erase(found);
  return answer;
}

bool ScriptedMongo::serve_one(int socket) {
  std::string header(kHeaderBytes, '\0');
  if (!read_all(socket, header)) return false;
  const auto size = static_cast<std::size_t>(std::max(0, number_at(header, 0)));
  const std::int32_t request = number_at(header, 4);
  const std::int32_t operation = number_at(header, 12);
  if (size < kHeaderBytes || size > kMostBytes) return false;
  std::string bytes(size - kHeaderBytes, '\0');
  if (!read_all(socket, bytes)) return false;
  if (operation != kQuery && operation != kMessage) return false;
  const Answer answer = answer_to(operation == kQuery ? query_of(bytes) : message_of(bytes));
  changed_.notify_all();
  const std::string reply = reply_to(request, operation, answer.body);
  switch (answer.trouble) {
    case Trouble::none:
      write_all(socket, reply);
      return true;
    case Trouble::silence: {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stops_; });
      return false;
    }
    case Trouble::cut_short:
      write_all(socket, std::string_view(reply).substr(0, reply.size() / 2));
      return false;
    default:
      return false;
  }
}

}  // namespace keyturn::server::mongodb::testing
