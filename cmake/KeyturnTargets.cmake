# SPDX-License-Identifier: Apache-2.0
# One way of declaring a room of the house: its library from the folder's sources, its tests from *_test.cpp beside them.

# keyturn_library(NAME [USES lib...]) : static library of this folder's *.cpp. Tests, benchmarks and fuzz targets beside
# the code are left out by their name. USES is linked PRIVATE: a header that needs a neighbour makes its user say so too.
function(keyturn_library name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$")
  if(NOT sources)  # a folder of headers only is a target like the others
    file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}_headers_only.cpp" CONTENT "// SPDX-License-Identifier: Apache-2.0\n")
    set(sources "${CMAKE_CURRENT_BINARY_DIR}/${name}_headers_only.cpp")
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE keyturn_options ${ARG_USES})
endfunction()

# keyturn_test(NAME LABEL label [USES lib...] [SOURCES file...]) : one GoogleTest program; without SOURCES it takes this
# folder's *_test.cpp.
function(keyturn_test name)
  if(NOT KEYTURN_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "USES;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp")
  endif()
  if(NOT ARG_SOURCES)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE keyturn_options ${ARG_USES} GTest::gmock_main GTest::gtest)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# keyturn_bench(NAME [USES lib...]) : one Google Benchmark program of this folder's *_bench.cpp.
function(keyturn_bench name)
  if(NOT KEYTURN_BUILD_BENCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_bench.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE keyturn_options ${ARG_USES} benchmark::benchmark_main)
endfunction()
