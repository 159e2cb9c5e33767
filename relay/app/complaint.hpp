// Messages of a command that cannot do its work.
#pragma once

#include <string>
#include <vector>

namespace relay::settings {
struct Problem;
}

namespace relay::app {

/// Prints to stderr for people, or with --json an object to stdout: {"v":1,"error":"…"}. Returns
/// `exit`.
int complain(bool as_json, const std::string& what, int exit);

/// For an unusable configuration: prints every problem, as JSON also in "problems".
int complain(bool as_json, const std::vector<settings::Problem>& problems);

}  // namespace relay::app
