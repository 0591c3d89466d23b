# SPDX-License-Identifier: Apache-2.0
# The warning set; an error only where TENON_WERROR asks for it (dev, CI).
target_compile_options(tn_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Wvla
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-align
  -Wcast-qual -Wwrite-strings -Wpointer-arith -Wformat=2 -Wdouble-promotion
  -Wimplicit-fallthrough -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tn_options INTERFACE
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
  target_compile_options(tn_options INTERFACE
    -Wcomma -Wunreachable-code -Wmissing-variable-declarations)
endif()
if(TENON_WERROR)
  target_compile_options(tn_options INTERFACE -Werror)
endif()
