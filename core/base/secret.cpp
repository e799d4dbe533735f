// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include <keyturn/base/secret.hpp>

namespace keyturn {

void wipe_memory(void* data, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(data, size);
}

Secret::Secret(std::string_view bytes) {
  if (bytes.empty()) return;
  bytes_ = std::make_unique<char[]>(bytes.size());
  std::memcpy(bytes_.get(), bytes.data(), bytes.size());
  size_ = bytes.size();
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
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
  wipe_memory(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

}  // namespace keyturn
