# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts on a machine: the public headers, one static library libkeyturn.a made of the objects of core
# and sdk, its CMake package and pkg-config file, and the programs. The library is static because a shared one would need
# an export mark on every public declaration.
include(CMakePackageConfigHelpers)

get_property(parts GLOBAL PROPERTY KEYTURN_LIBRARY_PARTS)
foreach(part ${parts})
  list(APPEND objects $<TARGET_OBJECTS:${part}>)
endforeach()
add_library(keyturn_archive STATIC ${objects})
set_target_properties(keyturn_archive PROPERTIES OUTPUT_NAME keyturn EXPORT_NAME keyturn LINKER_LANGUAGE CXX)
set_target_properties(keyturn_public_headers PROPERTIES EXPORT_NAME headers)
target_link_libraries(keyturn_archive
  PUBLIC keyturn_public_headers
  PRIVATE SQLite::SQLite3 OpenSSL::Crypto PkgConfig::sodium PkgConfig::bson ${CMAKE_DL_LIBS} Threads::Threads)

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/keyturn")
install(TARGETS keyturn_archive keyturn_public_headers EXPORT keyturnTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT keyturnTargets NAMESPACE keyturn:: DESTINATION "${package}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/keyturnConfig.cmake.in" "${PROJECT_BINARY_DIR}/keyturnConfig.cmake" @ONLY)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/keyturnConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/keyturnConfig.cmake" "${PROJECT_BINARY_DIR}/keyturnConfigVersion.cmake" DESTINATION "${package}")
file(RELATIVE_PATH up_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/keyturn.pc.in" "${PROJECT_BINARY_DIR}/keyturn.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/keyturn.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

foreach(program keyturnd keyturn_cli keyturn_cli_full)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
