# SPDX-License-Identifier: Apache-2.0
# What every target of the project is compiled with. Choices of a build (sanitizers, coverage) come from the presets.

option(KEYTURN_BUILD_TESTS "Build unit, conformance, contract, end-to-end and fault tests" ON)
option(KEYTURN_BUILD_BENCH "Build the benchmarks" ON)
option(KEYTURN_BUILD_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(KEYTURN_SANITIZE "" CACHE STRING "Value for -fsanitize=, for example address,undefined or thread")
option(KEYTURN_COVERAGE "Compile with --coverage" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Line tables and function names are enough for a stack trace, and are a third of the compiler's output.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(KEYTURN_CCACHE ccache)
if(KEYTURN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${KEYTURN_CCACHE}")
endif()

# Most of a compilation is reading headers, so that a whole build takes a third of the time when it reads them once for several
# sources. Names of two unnamed namespaces then meet; the `dev` preset compiles each source by itself.
option(KEYTURN_UNITY "Compile the sources of a room several at a time" OFF)
if(KEYTURN_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 6)
endif()

add_library(keyturn_options INTERFACE)
target_compile_options(keyturn_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives from inlined std::string and coroutine frames at -O2 (GCC bugs 105329, 105651).
  target_compile_options(keyturn_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-array-bounds -Wno-dangling-pointer)
  if(KEYTURN_UNITY)  # takes each source for a header then
    target_compile_options(keyturn_options INTERFACE -Wno-subobject-linkage)
  endif()
endif()
if(KEYTURN_SANITIZE)
  target_compile_options(keyturn_options INTERFACE "-fsanitize=${KEYTURN_SANITIZE}" -fno-sanitize-recover=all)
  target_link_options(keyturn_options INTERFACE "-fsanitize=${KEYTURN_SANITIZE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND KEYTURN_SANITIZE MATCHES "undefined")
    # clang 14 cannot emit this one check for coroutines: "Cannot represent a difference across sections" (LLVM 49689).
    target_compile_options(keyturn_options INTERFACE -fno-sanitize=function)
  endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  # The check needs an optimizer, which test code does without (keyturn_test).
  target_compile_options(keyturn_options INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:KEYTURN_IS_TEST>>>:-D_FORTIFY_SOURCE=2>)
  target_link_options(keyturn_options INTERFACE -Wl,-z,relro,-z,now)
endif()
if(KEYTURN_BUILD_FUZZ)
  target_compile_options(keyturn_options INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:KEYTURN_IS_TEST>>>:-fsanitize=fuzzer-no-link>)
  add_custom_target(fuzz_targets)
endif()
if(KEYTURN_COVERAGE)
  target_compile_options(keyturn_options INTERFACE --coverage)
  target_link_options(keyturn_options INTERFACE --coverage)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(bson REQUIRED IMPORTED_TARGET libbson-1.0)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)

# keyturn_either(NAME SHARED FILE [LIBRARY...]) : the target SHARED; for a program with the property KEYTURN_STATIC_LIBRARIES
# the archive FILE in its place, where that is installed, with what it needs. To load and relocate a shared library takes a
# short-lived program longer than its own work.
function(keyturn_either name shared file)
  find_library(KEYTURN_ARCHIVE_${name} "${file}")
  add_library(${name} INTERFACE)
  target_include_directories(${name} INTERFACE $<TARGET_PROPERTY:${shared},INTERFACE_INCLUDE_DIRECTORIES>)
  if(NOT KEYTURN_ARCHIVE_${name})
    set(KEYTURN_ALL_ARCHIVES OFF PARENT_SCOPE)
  endif()
  if(KEYTURN_ARCHIVE_${name} AND NOT KEYTURN_SANITIZE)
    set(static $<BOOL:$<TARGET_PROPERTY:KEYTURN_STATIC_LIBRARIES>>)
    target_link_libraries(${name} INTERFACE "$<${static}:${KEYTURN_ARCHIVE_${name}};${ARGN}>" $<$<NOT:${static}>:${shared}>)
  else()
    target_link_libraries(${name} INTERFACE ${shared})
  endif()
endfunction()
set(KEYTURN_ALL_ARCHIVES ON)
keyturn_either(keyturn_lib_crypto OpenSSL::Crypto libcrypto.a)
keyturn_either(keyturn_lib_sodium PkgConfig::sodium libsodium.a)
keyturn_either(keyturn_lib_sqlite SQLite::SQLite3 libsqlite3.a m)
keyturn_either(keyturn_lib_bson PkgConfig::bson libbson-static-1.0.a m)

if(KEYTURN_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(KEYTURN_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
