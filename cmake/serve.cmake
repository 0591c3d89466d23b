# SPDX-License-Identifier: Apache-2.0
# The server: HTTP and gRPC over the runtime column, a library of its own, so
# that what embeds a model needs neither OpenSSL nor nghttp2. Without them the
# command is built without `serve`, and says so.
find_path(TENON_NGHTTP2_INCLUDE nghttp2/nghttp2.h)
find_library(TENON_NGHTTP2_LIBRARY nghttp2)
find_package(OpenSSL 3.0 QUIET)
find_package(ZLIB QUIET)
mark_as_advanced(TENON_NGHTTP2_INCLUDE TENON_NGHTTP2_LIBRARY)
if(NOT TENON_NGHTTP2_INCLUDE OR NOT TENON_NGHTTP2_LIBRARY OR NOT OPENSSL_FOUND OR NOT ZLIB_FOUND)
  set(TENON_SERVE OFF)
  message(STATUS "Without the server: it needs libnghttp2-dev, libssl-dev and zlib1g-dev")
  return()
endif()

# The limit on CONTINUATIONs came with 1.61, or with the fix of CVE-2024-28182 in
# what distributions keep of older ones: without it a peer's head has no end.
include(CheckSymbolExists)
include(CMakePushCheckState)
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${TENON_NGHTTP2_INCLUDE})
set(CMAKE_REQUIRED_LIBRARIES ${TENON_NGHTTP2_LIBRARY})
check_symbol_exists(nghttp2_option_set_max_continuations nghttp2/nghttp2.h
  TENON_NGHTTP2_LIMITS_HEADS)
cmake_pop_check_state()
if(NOT TENON_NGHTTP2_LIMITS_HEADS)
  set(TENON_SERVE OFF)
  message(STATUS "Without the server: this libnghttp2 lacks the fix of CVE-2024-28182")
  return()
endif()

file(GLOB_RECURSE TN_SERVE_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/serve/*.c)
list(SORT TN_SERVE_SOURCES)
# The page at "/", as an array: the binary needs no file beside it.
set(page ${CMAKE_CURRENT_SOURCE_DIR}/src/serve/page.html)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
file(READ ${page} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/page.c CONTENT
  "#include \"serve/page.h\"\nconst unsigned char tni_page[] = {\n${bytes}};\nconst size_t tni_page_size = sizeof tni_page;\n" @ONLY)
add_library(tn_serve OBJECT ${TN_SERVE_SOURCES} ${CMAKE_CURRENT_BINARY_DIR}/page.c)
target_include_directories(tn_serve PUBLIC include src)
target_include_directories(tn_serve SYSTEM PRIVATE ${TENON_NGHTTP2_INCLUDE})
set(TN_SERVE_LIBS ${TENON_NGHTTP2_LIBRARY} OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB)
target_link_libraries(tn_serve PRIVATE tn_options INTERFACE ${TN_SERVE_LIBS} Threads::Threads m)

add_library(tenon-serve-static STATIC $<TARGET_OBJECTS:tn_serve>)
target_link_libraries(tenon-serve-static INTERFACE tenon-static ${TN_SERVE_LIBS} m)
set_target_properties(tenon-serve-static PROPERTIES OUTPUT_NAME tenon-serve)

# As libtenon-data, it has a runtime column of its own inside.
add_library(tenon-serve SHARED $<TARGET_OBJECTS:tn_serve>)
target_link_libraries(tenon-serve PRIVATE tn_options tenon-static ${TN_SERVE_LIBS} m INTERFACE tenon)
target_link_options(tenon-serve PRIVATE
  -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/src/tenon-serve.map -Wl,--as-needed)
set_target_properties(tenon-serve PROPERTIES VERSION 0.1.0 SOVERSION 0
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/tenon-serve.map)
install(TARGETS tenon-serve tenon-serve-static EXPORT tenon-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
