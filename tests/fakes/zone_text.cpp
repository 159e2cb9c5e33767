#include "tests/fakes/zone_text.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::fakes {

namespace {

/// Takes the octet a backslash stands for off `text`, which is what follows the backslash.
char take_escaped(std::string_view& text) {
  if (text.empty()) throw std::invalid_argument("nothing behind a backslash");
  const char first = text.front();
  if (!base::is_digit(first)) {
    text.remove_prefix(1);
    return first;
  }
  int octet = 0;
  for (int i = 0; i < 3; ++i) {
    if (text.empty() || !base::is_digit(text.front())) {
      throw std::invalid_argument("three digits behind a backslash");
    }
    octet = octet * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return static_cast<char>(octet);
}

std::string presentation(char octet) {
  const bool plain = octet > ' ' && octet <= '~' && octet != '.' && octet != '\\' && octet != '"';
  if (plain) return {base::lower(octet)};
  return fmt::format("\\{:03}", static_cast<unsigned char>(octet));
}

}  // namespace

std::string presentation_name(std::string_view zone_name) {
  if (zone_name == ".") return ".";
  std::string name;
  while (!zone_name.empty()) {
    const char c = zone_name.front();
    zone_name.remove_prefix(1);
    if (c == '.') {
      if (!zone_name.empty()) name += '.';
    } else {
      name += presentation(c == '\\' ? take_escaped(zone_name) : c);
    }
  }
  return name;
}

std::vector<std::string> character_strings(std::string_view text) {
  std::vector<std::string> strings;
  while (!text.empty()) {
    if (text.front() != '"') throw std::invalid_argument("TXT wants quoted strings");
    text.remove_prefix(1);
    std::string& whole = strings.emplace_back();
    while (!text.empty() && text.front() != '"') {
      const char c = text.front();
      text.remove_prefix(1);
      whole += c == '\\' ? take_escaped(text) : c;
    }
    if (text.empty()) throw std::invalid_argument("TXT wants quoted strings");
    text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return strings;
}

}  // namespace relay::fakes
