// clang-tidy finds unused using-declarations only in the file that it is called for, and it is
// called for several sources as one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relay::architecture {

/// The names that a source declares by `using a::b::Name;` and does not name again.
std::vector<std::string> unused_using_declarations(std::string_view text);

}  // namespace relay::architecture
