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
  target_compile_options(relay_flags INTERFACE
    -fsanitize=${RELAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(relay_flags INTERFACE -fsanitize=${RELAY_SANITIZE})
endif()
# Asio without its deprecated parts; no Boost.Context fibres needed.
target_compile_definitions(relay_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE FMT_HEADER_ONLY)
configure_file(${CMAKE_SOURCE_DIR}/relay/base/controls.hpp.in ${CMAKE_BINARY_DIR}/generated/relay/base/controls.hpp)
configure_file(${CMAKE_SOURCE_DIR}/tests/source_dir.hpp.in
               ${CMAKE_BINARY_DIR}/generated/tests/source_dir.hpp @ONLY)
target_include_directories(relay_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# One precompiled header for the rooms that speak Asio: parsing it costs seconds per file.
add_library(relay_asio_pch STATIC ${CMAKE_SOURCE_DIR}/relay/base/asio_pch.cpp)
target_link_libraries(relay_asio_pch PUBLIC relay_flags Threads::Threads)
target_precompile_headers(relay_asio_pch PRIVATE ${CMAKE_SOURCE_DIR}/relay/base/asio_pch.hpp)
# -pthread for all alike: RE2's pkg-config file brings it to some rooms, and clang refuses a
# precompiled header that was made without it.
target_compile_options(relay_asio_pch PUBLIC -Xclang -fno-pch-timestamp -pthread)

# relay_room(<name> [ASIO] SOURCES <files…> SEES <rooms…> [USES <external targets…>])
function(relay_room name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;SEES;USES" ${ARGN})
  set(target relay_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    if(ARG_ASIO)
      target_link_libraries(${target} PUBLIC relay_asio_pch)
      target_precompile_headers(${target} REUSE_FROM relay_asio_pch)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} relay_flags ${ARG_USES})
  foreach(room IN LISTS ARG_SEES)
    target_link_libraries(${target} ${scope} relay_${room})
  endforeach()
endfunction()

# relay_test(<room> [ASIO] SOURCES <files…> [USES <targets…>] [LABELS <ctest labels…>])
# builds bin/<room>_test against relay_<room> and registers each of its cases with ctest.
function(relay_test name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;USES;LABELS" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  if(ARG_ASIO)
    target_link_libraries(${target} PRIVATE relay_asio_pch)
    target_precompile_headers(${target} REUSE_FROM relay_asio_pch)
  endif()
  target_link_libraries(${target} PRIVATE relay_flags ${ARG_USES} GTest::gmock GTest::gtest_main)
  if(TARGET relay_${name})
    target_link_libraries(${target} PRIVATE relay_${name})
  endif()
  set(labels unit ${name} ${ARG_LABELS})
  # One ctest entry per program: a program of a thousand cases starts once, not a thousand times.
  add_test(NAME ${name} COMMAND ${target} --gtest_brief=1)
  # For what hangs: with sanitizers and at the lowest priority, the longest program takes some minutes.
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 900)
endfunction()
