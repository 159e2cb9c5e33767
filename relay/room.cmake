# The building blocks of the house: relay_room (a library per room) and relay_test (a test program
# per room). A room names in SEES the rooms it may use, and links nothing else of ours.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(relay_flags INTERFACE)
target_compile_options(relay_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  # Leaving fields at their defaults is what designated initializers are for.
  -Wno-missing-designated-field-initializers)
if(RELAY_WERROR)
  target_compile_options(relay_flags INTERFACE -Werror)
endif()
if(RELAY_HARDEN)
  target_compile_options(relay_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection -U_FORTIFY_SOURCE
    -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS
    # Not by CMake's property, which is -fPIC for libraries: the precompiled header serves both.
    -fPIE)
  target_link_options(relay_flags INTERFACE -Wl,-z,relro,-z,now -pie)
endif()
if(RELAY_SANITIZE)
  # What is tested is optimised a little, and fuzzers look for new paths in it; the code of the tests, where
  # neither is of use, would take most of the time of compiling.
  string(REPLACE "fuzzer-no-link," "" without_paths ${RELAY_SANITIZE})
  string(REPLACE "," "$<COMMA>" without_paths ${without_paths})
  string(REPLACE "," "$<COMMA>" with_paths ${RELAY_SANITIZE})
  set(is_test $<BOOL:$<TARGET_PROPERTY:RELAY_IS_TEST>>)
  target_compile_options(relay_flags INTERFACE
    -fsanitize=$<IF:${is_test},${without_paths},${with_paths}> $<${is_test}:-O0>
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(relay_flags INTERFACE -fsanitize=${RELAY_SANITIZE})
endif()
# Asio without its deprecated parts; no Boost.Context fibres needed.
target_compile_definitions(relay_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
configure_file(${CMAKE_SOURCE_DIR}/tests/source_dir.hpp.in
               ${CMAKE_BINARY_DIR}/generated/tests/source_dir.hpp @ONLY)
target_include_directories(relay_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# RE2 by its file: from Debian 13 on its pkg-config file names some seventy libraries of Abseil, which RE2 links
# itself, and takes pkg-config seconds for each question.
find_library(RE2_LIBRARY re2 REQUIRED)
add_library(relay_re2 INTERFACE)
target_link_libraries(relay_re2 INTERFACE ${RE2_LIBRARY})

# Precompiled headers, because parsing what is in them costs seconds per file: one for the rooms that speak
# Asio, one for those that do not, one for tests. They hold nothing of ours.
function(relay_precompiled name stem)
  add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/${stem}.cpp)
  target_link_libraries(${name} PUBLIC relay_flags fmt::fmt Threads::Threads)
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/${stem}.hpp)
  # -pthread for all alike: pkg-config files bring it to some rooms, and clang refuses a precompiled
  # header that was made without it.
  target_compile_options(${name} PUBLIC -Xclang -fno-pch-timestamp -pthread)
endfunction()

find_package(fmt REQUIRED)
relay_precompiled(relay_std_pch relay/base/std_pch)
relay_precompiled(relay_asio_pch relay/base/asio_pch)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  relay_precompiled(relay_test_pch tests/test_pch)
  target_link_libraries(relay_test_pch PUBLIC GTest::gmock)
  set_target_properties(relay_test_pch PROPERTIES RELAY_IS_TEST ON)
endif()

# relay_room(<name> [ASIO] SOURCES <files…> SEES <rooms…> [USES <external targets…>])
function(relay_room name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;SEES;USES" ${ARGN})
  set(target relay_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    set(pch relay_std_pch)
    if(ARG_ASIO)
      set(pch relay_asio_pch)
    endif()
    target_link_libraries(${target} PUBLIC ${pch})
    target_precompile_headers(${target} REUSE_FROM ${pch})
    # What files share, the headers, is then compiled, instrumented and checked once for all of them.
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${RELAY_UNITY} UNITY_BUILD_BATCH_SIZE 16)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} relay_flags ${ARG_USES})
  foreach(room IN LISTS ARG_SEES)
    target_link_libraries(${target} ${scope} relay_${room})
  endforeach()
endfunction()

# relay_test(<room> SOURCES <files…> [USES <targets…>] [LABELS <ctest labels…>])
# builds bin/<room>_test against relay_<room> and registers it with ctest.
function(relay_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LABELS" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES RELAY_IS_TEST ON)
  target_link_libraries(${target} PRIVATE relay_test_pch relay_flags ${ARG_USES} GTest::gtest_main)
  target_precompile_headers(${target} REUSE_FROM relay_test_pch)
  if(TARGET relay_${name})
    target_link_libraries(${target} PRIVATE relay_${name})
  endif()
  set(labels unit ${name} ${ARG_LABELS})
  # One ctest entry per program: a program of a thousand cases starts once, not a thousand times.
  add_test(NAME ${name} COMMAND ${target} --gtest_brief=1)
  # For what hangs: with sanitizers and at the lowest priority, the longest program takes some minutes.
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 1800)
endfunction()
