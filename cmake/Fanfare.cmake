# What every part of the build shares: options, warnings, sanitizers, and one function per kind of target.

option(FANFARE_TESTS "Build the unit tests" ON)
option(FANFARE_BENCH "Build the benchmarks' own programs" OFF)
option(FANFARE_FUZZ "Build the fuzz targets (clang only)" OFF)
option(FANFARE_FAULTS "Let tests throw wherever the program says that it may (src/base/fault.hpp)" OFF)
set(FANFARE_SANITIZE "" CACHE STRING "Sanitizers for everything, as in -fsanitize=: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(fanfare_options INTERFACE)
target_include_directories(fanfare_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(fanfare_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(fanfare_options INTERFACE -Wthread-safety)
else()
  # g++ 12 reports moves that it inlined from std::string and std::function as overruns and as
  # reads of unset memory (GCC bugs 105329, 105562); the sanitizers watch for the real ones.
  target_compile_options(fanfare_options INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  # Boost.Asio has fences beside its locks; the thread sanitizer follows the locks.
  if(FANFARE_SANITIZE MATCHES "thread")
    target_compile_options(fanfare_options INTERFACE -Wno-tsan)
  endif()
endif()
if(FANFARE_FAULTS)
  target_compile_definitions(fanfare_options INTERFACE FANFARE_FAULTS)
endif()
if(FANFARE_SANITIZE)
  target_compile_options(fanfare_options INTERFACE
    -fsanitize=${FANFARE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(fanfare_options INTERFACE -fsanitize=${FANFARE_SANITIZE})
endif()

# fanfare_library(wire/http1 LINK fanfare_base Boost::headers)
#
# One library per folder of src/, named after the path: fanfare_wire_http1. LINK names the floors
# below that it may include, and nothing else is on its link line. SOURCES adds generated files.
function(fanfare_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  string(REPLACE "/" "_" suffix "${folder}")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp")
  list(APPEND sources ${ARG_SOURCES})
  if(sources)
    add_library(fanfare_${suffix} STATIC ${sources})
    target_link_libraries(fanfare_${suffix} PUBLIC fanfare_options ${ARG_LINK})
  else()
    add_library(fanfare_${suffix} INTERFACE)
    target_link_libraries(fanfare_${suffix} INTERFACE fanfare_options ${ARG_LINK})
  endif()
endfunction()

# fanfare_test(wire/http1 LINK fanfare_wire_http1)
#
# One test program per folder, from tests/<folder>/*_test.cpp, named wire_http1_test.
function(fanfare_test folder)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  string(REPLACE "/" "_" name "${folder}")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${name}_test PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name}_test)
endfunction()

# fanfare_fuzz(http_request LINK fanfare_wire_http1): fuzz/<name>_fuzz.cpp as a libFuzzer program.
function(fanfare_fuzz name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name}_fuzz "${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cpp")
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_LINK})
endfunction()
