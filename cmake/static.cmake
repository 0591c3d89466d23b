# SPDX-License-Identifier: Apache-2.0
# tenon-static-cli: the command with the server as one file that needs no other,
# for deploy/Containerfile. Not part of `all`; it reads no images, so that it needs
# no codecs. Without the static libraries of Debian's -dev packages there is no
# such target.
set(TN_STATIC_FOUND TRUE)
foreach(library nghttp2 ssl crypto z)
  find_library(TENON_STATIC_${library} lib${library}.a)
  mark_as_advanced(TENON_STATIC_${library})
  if(NOT TENON_STATIC_${library})
    set(TN_STATIC_FOUND FALSE)
  endif()
endforeach()
if(NOT TN_STATIC_FOUND)
  return()
endif()
set(TN_STATIC_SOURCES ${TN_CLI_SOURCES})
list(FILTER TN_STATIC_SOURCES EXCLUDE REGEX "/(cmd_(stats|convert)|data_args)\\.c$")
add_executable(tenon-static-cli EXCLUDE_FROM_ALL ${TN_STATIC_SOURCES})
set_target_properties(tenon-static-cli PROPERTIES OUTPUT_NAME tenon
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/static)
target_include_directories(tenon-static-cli PRIVATE include cli)
target_compile_definitions(tenon-static-cli PRIVATE CLI_SERVE=1)
# The archive itself: the target would bring the shared libraries with it.
add_dependencies(tenon-static-cli tenon-serve-static)
target_link_libraries(tenon-static-cli PRIVATE tn_options
  $<TARGET_FILE:tenon-serve-static> tenon-static ${TENON_STATIC_nghttp2}
  ${TENON_STATIC_ssl} ${TENON_STATIC_crypto} ${TENON_STATIC_z} Threads::Threads m)
target_link_options(tenon-static-cli PRIVATE -static -Wl,--gc-sections)
