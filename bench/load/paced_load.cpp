// SPDX-License-Identifier: Apache-2.0
// Open-loop load: requests start at a fixed rate whether or not answers come, and each latency counts from
// the moment at which the request was due, so that a pause of the server shows in full.
//   bench_paced_load PORT RATE SECONDS CONNECTIONS REQUEST-FILE
// REQUEST-FILE holds whole requests, each preceded by a line with its length in bytes. Prints one JSON
// object. It sleeps between its turns, and goes before other programs on its core where it may: a second
// source of load beside it would be measured otherwise.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

struct Client {
  int socket = -1;
  bool busy = false;
  Clock::time_point due;
  std::string received;
};

std::vector<std::string> read_requests(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> requests;
  for (std::string length; std::getline(file, length);) {
    std::string request(std::stoul(length), '\0');
    file.read(request.data(), static_cast<std::streamsize>(request.size()));
    requests.push_back(std::move(request));
  }
  return requests;
}

int connect_to(std::uint16_t port) {
  const int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  const int on = 1;
  ::setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(s, F_SETFL, O_NONBLOCK);
  return s;
}

/// Whether a whole answer has come.
bool complete(const std::string& bytes) {
  const std::size_t blank = bytes.find("\r\n\r\n");
  if (blank == std::string::npos) return false;
  const std::size_t length = bytes.find("Content-Length: ");
  return length < blank && bytes.size() >= blank + 4 + std::strtoul(bytes.c_str() + length + 16, nullptr, 10);
}

void go_first() {
  sched_param first{};
  first.sched_priority = 1;
  ::sched_setscheduler(0, SCHED_FIFO, &first);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

/// Until an answer comes or the next request is due.
void sleep_until(Clock::time_point next, const std::vector<Client>& clients) {
  std::vector<pollfd> waiting;
  for (const Client& client : clients) {
    if (client.busy) waiting.push_back({client.socket, POLLIN, 0});
  }
  const auto left = std::max(std::chrono::nanoseconds(next - Clock::now()), std::chrono::nanoseconds(0));
  const timespec time{static_cast<time_t>(left.count() / 1'000'000'000),
                      static_cast<long>(left.count() % 1'000'000'000)};
  ::ppoll(waiting.data(), waiting.size(), &time, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: bench_paced_load PORT RATE SECONDS CONNECTIONS REQUEST-FILE\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const double rate = std::atof(argv[2]);
  const auto total = static_cast<std::size_t>(rate * std::atof(argv[3]));
  const std::vector<std::string> requests = read_requests(argv[5]);
  if (requests.empty() || total == 0) return 2;
  std::vector<Client> clients(static_cast<std::size_t>(std::atoi(argv[4])));
  for (Client& client : clients) {
    client.socket = connect_to(port);
    if (client.socket < 0) return 1;
  }

  go_first();
  std::vector<double> latencies;
  latencies.reserve(total);
  std::deque<Clock::time_point> due;
  std::size_t begun = 0;
  std::size_t sent = 0;
  std::size_t failures = 0;
  const auto gap = std::chrono::duration_cast<Clock::duration>(duration<double>(1.0 / rate));
  const auto start = Clock::now();
  std::vector<char> bytes(65'536);
  while (latencies.size() + failures < total && Clock::now() - start < std::chrono::seconds(120)) {
    const auto now = Clock::now();
    while (begun < total && start + static_cast<long>(begun) * gap <= now)
      due.push_back(start + static_cast<long>(begun++) * gap);
    for (Client& client : clients) {
      if (!client.busy && !due.empty()) {
        const std::string& request = requests[sent++ % requests.size()];
        if (::send(client.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size()))
          return 1;
        client.due = due.front();
        due.pop_front();
        client.busy = true;
        client.received.clear();
      }
      if (!client.busy) continue;
      const ssize_t size = ::recv(client.socket, bytes.data(), bytes.size(), 0);
      if (size == 0) return 1;
      if (size < 0) continue;
      client.received.append(bytes.data(), static_cast<std::size_t>(size));
      if (!complete(client.received)) continue;
      client.busy = false;
      if (client.received.compare(0, 10, "HTTP/1.1 2") == 0) {
        latencies.push_back(duration<double, std::milli>(Clock::now() - client.due).count());
      } else {
        ++failures;
      }
    }
    if (latencies.size() + failures >= total) break;
    const bool all_busy = std::all_of(clients.begin(), clients.end(), [](const Client& c) { return c.busy; });
    if (!due.empty() && !all_busy) continue;
    const auto late = Clock::now() + std::chrono::seconds(1);
    sleep_until(due.empty() && begun < total ? start + static_cast<long>(begun) * gap : late, clients);
  }
  const double seconds = duration<double>(Clock::now() - start).count();
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double part) {
    return latencies.empty()
               ? 0.0
               : latencies[std::min(latencies.size() - 1,
                                    static_cast<std::size_t>(part * static_cast<double>(latencies.size())))];
  };
  std::printf(
      R"({"requests":%zu,"failures":%zu,"rate":%.0f,"p50_ms":%.3f,"p90_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"max_ms":%.3f})"
      "\n",
      latencies.size(), failures, static_cast<double>(latencies.size()) / seconds, at(0.5), at(0.9), at(0.99),
      at(0.999), latencies.empty() ? 0.0 : latencies.back());
  return failures == 0 ? 0 : 1;
}
