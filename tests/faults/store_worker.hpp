// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include <keyturn/app.hpp>

namespace keyturn::faults {

/// The app that all processes of a rig share.
[[nodiscard]] App::configuration shared_app(const std::filesystem::path& store, const std::string& base_url);

/// What main() runs in a worker; each program has its own. The one of store_work.cpp: `rounds` reads a byte
/// from standard input before each refresh and answers with one ('+' done, else the first letter of the
/// error's name); `refresh` refreshes once; `live` reads a password, logs in, refreshes, sends a request and
/// logs out, and tells of each with a byte that is to be answered (`live-bound` with a device key);
/// `requests` sends a request for each byte, `requests-a-day-later` on a boot clock that went on by a day
/// after the app was opened. An https server has the certificate "certificate.pem" beside the store.
int work(const std::string& mode, const std::filesystem::path& store, const std::string& base_url);

/// This program as a worker process, behind `before` (strace and its arguments) when given.
struct Worker {
  pid_t pid = -1;
  int to = -1;    ///< Its standard input.
  int from = -1;  ///< Its standard output.
};
[[nodiscard]] Worker start_worker(const std::string& mode, const std::filesystem::path& store,
                                  const std::string& base_url, const std::vector<std::string>& before = {});
/// Waits for its end and closes the pipes; the status of waitpid().
int end_of(Worker& worker);

}  // namespace keyturn::faults
