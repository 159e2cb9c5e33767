#include "relay/smtp/client_attributes.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "relay/base/text.hpp"

namespace relay::smtp {

namespace {

constexpr std::size_t kMaxValue = 255;  // XCLIENT_README: 255 characters of a decoded value

std::optional<unsigned> hex_digit(char c) {
  if (base::is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// Whether `name` is one of `words`, which are separated by single spaces.
bool has_word(std::string_view words, std::string_view name) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (words.substr(0, space) == name) return true;
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return false;
}

/// The decoded value, "" when it says "unavailable"; nullopt: not a legal value.
std::optional<std::string> value_of(std::string_view text) {
  auto value = decode_xtext(text);
  if (!value || value->size() > kMaxValue || std::ranges::any_of(*value, base::is_control)) {
    return std::nullopt;
  }
  if (base::equal_ignoring_case(*value, "[UNAVAILABLE]") ||
      base::equal_ignoring_case(*value, "[TEMPUNAVAIL]")) {
    return std::string();
  }
  return value;
}

void keep(ClientAttributes& into, std::string_view name, std::string value) {
  if (name == "ADDR") {
    constexpr std::string_view kV6 = "IPV6:";
    const bool is_v6 = base::starts_with_ignoring_case(value, kV6);
    into.address = is_v6 ? value.substr(kV6.size()) : std::move(value);
  } else if (name == "PORT") {
    into.port = std::move(value);
  } else if (name == "PROTO") {
    into.protocol = upper(value);
  } else if (name == "HELO") {
    std::ranges::replace_if(value, [](char c) { return c < ' ' || c > '~'; }, '?');
    into.helo = std::move(value);
  } else if (name == "SOURCE") {
    into.source = upper(value);
  }
}

}  // namespace

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c > '~' || c == '=') return std::nullopt;
    if (c != '+') {
      out += c;
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4U | *low);
    i += 2;
  }
  return out;
}

std::expected<ClientAttributes, std::string_view> parse_client_attributes(
    NamedBy command, std::string_view argument) {
  const std::string_view known =
      command == NamedBy::Xclient ? kXclientAttributes : kXforwardAttributes;
  ClientAttributes attributes;
  std::vector<std::string> seen;
  while (!argument.empty()) {
    const std::string_view word = argument.substr(0, argument.find(' '));
    argument.remove_prefix(std::min(word.size() + 1, argument.size()));
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos)
      return std::unexpected("Syntax: attribute=value, and more of them");
    std::string name = upper(word.substr(0, equals));
    if (!has_word(known, name)) return std::unexpected("Attribute not known");
    if (std::ranges::find(seen, name) != seen.end()) {
      return std::unexpected("Attribute given twice");
    }
    auto value = value_of(word.substr(equals + 1));
    if (!value) return std::unexpected("Attribute value is no xtext");
    keep(attributes, name, std::move(*value));
    seen.push_back(std::move(name));
  }
  if (seen.empty()) return std::unexpected("Syntax: attribute=value, and more of them");
  return attributes;
}

}  // namespace relay::smtp
