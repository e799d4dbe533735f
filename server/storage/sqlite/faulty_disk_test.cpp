// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/faulty_disk.hpp"

#include <array>

namespace keyturn::server::sqlite {
namespace {

std::atomic<int> countdown{0};
std::atomic<int> fault_code{SQLITE_OK};
std::atomic<bool> fault_stays{false};
std::atomic<bool> fault_met{false};
std::atomic<int> sync_count{0};

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs shim;

/// SQLite has one set of methods for the database and another for its log; they differ in locking only.
struct Methods {
  const sqlite3_io_methods* real = nullptr;
  sqlite3_io_methods faulty{};
};
std::array<Methods, 4> methods;
const sqlite3_io_methods* real_methods = nullptr;

/// The code with which this call must fail, or SQLITE_OK.
int next_fault() {
  const int code = fault_code;
  if (code == SQLITE_OK) return SQLITE_OK;
  const int left = --countdown;
  if (left > 0 || (left < 0 && !fault_stays)) return SQLITE_OK;
  fault_met = true;
  return code;
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const int code = next_fault();
  return code != SQLITE_OK ? code : real_methods->xWrite(file, data, size, offset);
}

int sync(sqlite3_file* file, int flags) {
  ++sync_count;
  const int code = next_fault();
  return code != SQLITE_OK ? code : real_methods->xSync(file, flags);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = next_fault();
  return code != SQLITE_OK ? code : real_methods->xTruncate(file, size);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  real_methods = file->pMethods;
  for (Methods& each : methods) {
    if (each.real != nullptr && each.real != file->pMethods) continue;
    if (each.real == nullptr) {
      each.real = file->pMethods;
      each.faulty = *each.real;
      each.faulty.xWrite = write;
      each.faulty.xSync = sync;
      each.faulty.xTruncate = truncate;
    }
    file->pMethods = &each.faulty;
    return SQLITE_OK;
  }
  return SQLITE_OK;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  real_vfs = sqlite3_vfs_find(nullptr);
  shim = *real_vfs;
  shim.zName = "faulty";
  shim.pNext = nullptr;
  shim.xOpen = open;
  sqlite3_vfs_register(&shim, 1);
}

FaultyDisk::~FaultyDisk() {
  heal();
  sqlite3_vfs_unregister(&shim);
  sqlite3_vfs_register(real_vfs, 1);
}

void FaultyDisk::fail(int nth, int code, bool and_all_after) {
  countdown = nth;
  fault_stays = and_all_after;
  fault_met = false;
  fault_code = code;
}

bool FaultyDisk::heal() {
  fault_code = SQLITE_OK;
  return fault_met.exchange(false);
}

int FaultyDisk::syncs() { return sync_count.exchange(0); }

}  // namespace keyturn::server::sqlite
