#include "tests/architecture/using_declarations.hpp"

#include <re2/re2.h>

namespace relay::architecture {

std::vector<std::string> unused_using_declarations(std::string_view text) {
  static const RE2 declaration(R"((?m)^\s*using [\w:]*::(\w+);$)");
  std::vector<std::string> unused;
  re2::StringPiece rest(text.data(), text.size());
  std::string name;
  while (RE2::FindAndConsume(&rest, declaration, &name)) {
    const RE2 again("\\b" + name + "\\b");
    // Literals of chrono and of strings are used without their names.
    if (!name.ends_with("_literals") && !RE2::PartialMatch(rest, again)) unused.push_back(name);
  }
  return unused;
}

}  // namespace relay::architecture
