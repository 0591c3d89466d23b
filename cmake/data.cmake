# SPDX-License-Identifier: Apache-2.0
# The data column: images and datasets, a library of its own, so that what runs
# models needs nothing but libc (docs/decisions/0009). It finds the other
# libraries it can use; without one, that part says what it lacks when asked.
set(TN_DATA_LIBS "")
set(TN_DATA_INCLUDES "")
set(TN_DATA_DEFINITIONS "")
set(TN_DATA_MISSING "")

# Name of the part, a header, the library, and Debian's package of it.
function(tn_data_library part header library package)
  string(TOUPPER ${part} upper)
  option(TENON_WITH_${upper} "Use ${package} where it is installed" ON)
  find_path(TENON_${upper}_INCLUDE ${header})
  find_library(TENON_${upper}_LIBRARY ${library})
  mark_as_advanced(TENON_${upper}_INCLUDE TENON_${upper}_LIBRARY)
  if(TENON_WITH_${upper} AND TENON_${upper}_INCLUDE AND TENON_${upper}_LIBRARY)
    set(TN_DATA_LIBS ${TN_DATA_LIBS} ${TENON_${upper}_LIBRARY} PARENT_SCOPE)
    set(TN_DATA_INCLUDES ${TN_DATA_INCLUDES} ${TENON_${upper}_INCLUDE} PARENT_SCOPE)
    set(TN_DATA_DEFINITIONS ${TN_DATA_DEFINITIONS} TN_WITH_${upper}=1 PARENT_SCOPE)
  else()
    set(TN_DATA_MISSING ${TN_DATA_MISSING} ${package} PARENT_SCOPE)
  endif()
endfunction()
tn_data_library(jpeg turbojpeg.h turbojpeg libturbojpeg0-dev)
tn_data_library(png spng.h spng libspng-dev)
tn_data_library(webp webp/decode.h webp libwebp-dev)
tn_data_library(xml expat.h expat libexpat1-dev)
tn_data_library(yaml yaml.h yaml libyaml-dev)

file(GLOB_RECURSE TN_DATA_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.c)
list(FILTER TN_DATA_SOURCES INCLUDE REGEX ${TN_DATA_MODULES})
list(SORT TN_DATA_SOURCES)
add_library(tn_data OBJECT ${TN_DATA_SOURCES})
target_include_directories(tn_data PUBLIC include src)
target_include_directories(tn_data SYSTEM PRIVATE ${TN_DATA_INCLUDES})
target_compile_definitions(tn_data PRIVATE ${TN_DATA_DEFINITIONS})
target_link_libraries(tn_data PRIVATE tn_options INTERFACE ${TN_DATA_LIBS} m)

# What it shares with the runtime column (errors, arenas, files) it takes from
# the static library and shows to nobody; no state is shared, so two copies of
# it in one process are as good as one.
add_library(tenon-data SHARED $<TARGET_OBJECTS:tn_data>)
target_link_libraries(tenon-data PRIVATE tn_options tenon-static ${TN_DATA_LIBS} m INTERFACE tenon)
target_link_options(tenon-data PRIVATE
  -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/src/tenon-data.map -Wl,--as-needed)
set_target_properties(tenon-data PROPERTIES VERSION 0.1.0 SOVERSION 0
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/tenon-data.map)

add_library(tenon-data-static STATIC $<TARGET_OBJECTS:tn_data>)
target_link_libraries(tenon-data-static INTERFACE tenon-static ${TN_DATA_LIBS} m)
set_target_properties(tenon-data-static PROPERTIES OUTPUT_NAME tenon-data)

install(TARGETS tenon-data tenon-data-static EXPORT tenon-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TN_DATA_MISSING)
  list(JOIN TN_DATA_MISSING " " missing)
  message(STATUS "Data column without: ${missing} (install them to decode more)")
endif()
