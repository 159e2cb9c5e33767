// "Did you mean": the known word that a misspelt one is nearest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relay::base {

/// The closest of `known` within two edits (insert, delete, replace, swap neighbours), or "".
std::string closest(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace relay::base
