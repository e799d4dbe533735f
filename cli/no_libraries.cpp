// SPDX-License-Identifier: Apache-2.0
// What the statically linked program calls in place of dlopen (the linker's --wrap): a library that it loaded
// would bring another C library along. SQLite asks for extensions and the SDK for libsecret, neither on the
// way to a stored token, and both take the answer as "not there".
extern "C" void* __wrap_dlopen(const char*, int) noexcept;  // NOLINT(bugprone-reserved-identifier)
extern "C" void* __wrap_dlopen(const char*, int) noexcept { return nullptr; }  // NOLINT
