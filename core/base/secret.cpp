// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include <keyturn/base/secret.hpp>

#include "core/base/guarded_memory.hpp"

namespace keyturn {

void wipe_memory(void* data, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(data, size);
}

Secret::Secret(std::string_view bytes) {
  allocate(bytes.size());
  if (size_ != 0) std::memcpy(bytes_, bytes.data(), size_);
}

void Secret::allocate(std::size_t size) {
  if (size == 0) return;
  bytes_ = static_cast<char*>(guarded_allocate(size));
  size_ = size;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { wipe(); }

bool Secret::equals(std::string_view other) const noexcept {
  if (other.size() != size_) return false;
  // `volatile` keeps the loop whole: without it the compiler may stop at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(bytes_[i]) ^ static_cast<unsigned char>(other[i])));
  }
  return difference == 0;
}

void Secret::wipe() noexcept {
  if (bytes_ == nullptr) return;
  guarded_free(bytes_, size_);  // which overwrites them
  bytes_ = nullptr;
  size_ = 0;
}

}  // namespace keyturn
