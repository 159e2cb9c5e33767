#include "relay/auth/canonical.hpp"

#include "relay/base/text.hpp"

namespace relay::auth {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

std::string relaxed_field(std::string_view name, std::string_view value) {
  std::string out = base::lower(name);
  while (!out.empty() && is_space(out.back())) out.pop_back();
  out += ':';
  const std::size_t start = out.size();
  bool space = false;
  for (const char c : value) {
    if (is_space(c)) {
      space = true;
      continue;
    }
    if (space && out.size() > start) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

}  // namespace relay::auth
