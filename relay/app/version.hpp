#pragma once

namespace relay::app {

inline constexpr const char* kVersion = RELAY_VERSION;  // from CMakeLists.txt

}  // namespace relay::app
