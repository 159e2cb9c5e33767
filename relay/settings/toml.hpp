// toml++ with the macros that every file here must set alike. To parse, call parse_toml().
#pragma once

#include <cstdint>

// parse_toml.cpp compiles the library into itself, so that it is compiled once. The compiled
// library that some distributions have is not linked, because there a condition that TOML_ASSERT
// should check is an assumption of the optimiser.
#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0

#ifdef NDEBUG
#error "with NDEBUG, toml++ turns its checks into assumptions: undefined behaviour on bad input"
#endif

namespace relay::settings {

/// The parser met input that it does not handle; only parse_toml() sees it.
struct ParserGaveUp {};

}  // namespace relay::settings

// A configuration must never end the process, least of all a running one that reloads.
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : throw relay::settings::ParserGaveUp())

#include <toml++/toml.h>
