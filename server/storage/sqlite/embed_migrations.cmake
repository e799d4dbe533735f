# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=file.cpp -DFOLDER=migrations -P embed_migrations.cmake : the numbered SQL files as one C++ source.
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(expected 0)
set(entries "")
foreach(file IN LISTS files)
  math(EXPR expected "${expected} + 1")
  get_filename_component(name "${file}" NAME)
  if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+\\.sql$")
    message(FATAL_ERROR "${name}: a migration is named 0001_what_it_does.sql")
  endif()
  string(REGEX REPLACE "^0+" "" number "${CMAKE_MATCH_1}")
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "${name}: the next migration has number ${expected}")
  endif()
  file(READ "${file}" sql)
  if(NOT sql MATCHES "PRAGMA user_version = ${number};")
    message(FATAL_ERROR "${name}: it must end with PRAGMA user_version = ${number};")
  endif()
  string(APPEND entries "    {${number}, R\"~sql~(${sql})~sql~\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// SPDX-License-Identifier: Apache-2.0
#include \"server/storage/sqlite/migrations.hpp\"

namespace keyturn::server::sqlite {
namespace {
constexpr Migration kMigrations[] = {
${entries}};
}
std::span<const Migration> migrations() noexcept { return kMigrations; }
}  // namespace keyturn::server::sqlite
")
