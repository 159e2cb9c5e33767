#include "relay/auth/spf/record.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "relay/base/text.hpp"

namespace relay::auth::spf {

namespace {

using boost::asio::ip::address;
using mail::SpfResult;

constexpr std::string_view kVersion = "v=spf1";
constexpr std::size_t kQuotedOctets = 64;

/// A term split into the parts that all terms have (RFC 7208 §4.6.1).
struct Term {
  std::string_view text;  ///< all of it
  std::string_view qualifier;
  std::string_view name;
  std::string_view rest;  ///< from ':', '/' or '=' on
};

std::unexpected<std::string> wrong(std::string_view what, const Term& term) {
  return std::unexpected(std::string(what) + " in " + in_quotes(term.text));
}

/// An error with the reason of `part` and the text of the term.
template <class T>
std::unexpected<std::string> wrong(const std::expected<T, std::string_view>& part,
                                   const Term& term) {
  return wrong(part.error(), term);
}

bool in_name(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.';
}

Term take_apart(std::string_view text) {
  Term term{.text = text};
  std::string_view rest = text;
  if (!rest.empty() && std::string_view("+-?~").contains(rest.front())) {
    term.qualifier = rest.substr(0, 1);
    rest.remove_prefix(1);
  }
  const auto end = static_cast<std::size_t>(std::ranges::find_if_not(rest, in_name) - rest.begin());
  term.name = rest.substr(0, end);
  term.rest = rest.substr(end);
  return term;
}

SpfResult result_of(std::string_view qualifier) {
  if (qualifier == "-") return SpfResult::Fail;
  if (qualifier == "~") return SpfResult::SoftFail;
  if (qualifier == "?") return SpfResult::Neutral;
  return SpfResult::Pass;
}

std::optional<Mechanism> mechanism_named(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {"all", "include", "a",   "mx",
                                                             "ptr", "ip4",     "ip6", "exists"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (base::equal_ignoring_case(name, kNames.at(i))) return static_cast<Mechanism>(i);
  }
  return std::nullopt;
}

/// Removes a prefix length (`mark` and digits) from the end of `text`, if there is one (RFC 7208
/// §5.6). False if the digits are invalid: a leading zero, or above the limit.
bool take_prefix(std::string_view& text, std::string_view mark, int limit, std::uint8_t& length) {
  const auto last = text.find_last_not_of("0123456789");
  if (last == std::string_view::npos || last + 1 == text.size()) return true;
  if (!text.substr(0, last + 1).ends_with(mark)) return true;
  const auto digits = text.substr(last + 1);
  if (digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return false;
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (value > limit) return false;
  length = static_cast<std::uint8_t>(value);
  text = text.substr(0, last + 1 - mark.size());
  return true;
}

std::optional<address> parse_v4(std::string_view text) {
  boost::asio::ip::address_v4::bytes_type octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto number = text.substr(0, text.find('.'));
    const bool plain = !number.empty() && number.size() <= 3 &&
                       std::ranges::all_of(number, base::is_digit) &&
                       (number.size() == 1 || number.front() != '0');
    if (!plain) return std::nullopt;
    int value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    if (value > 255) return std::nullopt;
    octets.at(i) = static_cast<unsigned char>(value);
    text.remove_prefix(number.size());
    if (i + 1 == octets.size()) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return boost::asio::ip::address_v4(octets);
}

std::optional<address> parse_v6(std::string_view text) {
  constexpr std::size_t kLongest = 45;
  // No zone index: "%eth0" would name an interface of this host.
  if (text.size() > kLongest ||
      text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
    return std::nullopt;
  }
  boost::system::error_code error;
  auto parsed = boost::asio::ip::make_address_v6(std::string(text), error);
  if (error) return std::nullopt;
  return parsed;
}

std::expected<Directive, std::string> parse_network(const Term& term, Directive directive) {
  const bool v4 = directive.mechanism == Mechanism::Ip4;
  std::string_view rest = term.rest;
  if (!rest.starts_with(':')) return wrong("no address", term);
  rest.remove_prefix(1);
  const bool length = v4 ? take_prefix(rest, "/", 32, directive.prefix.v4)
                         : take_prefix(rest, "/", 128, directive.prefix.v6);
  if (!length) return wrong("a bad prefix length", term);
  const auto network = v4 ? parse_v4(rest) : parse_v6(rest);
  if (!network) return wrong("a bad address", term);
  directive.network = *network;
  return directive;
}

std::expected<Directive, std::string> parse_named(const Term& term, Directive directive) {
  std::string_view rest = term.rest;
  const Mechanism kind = directive.mechanism;
  if (kind == Mechanism::A || kind == Mechanism::Mx) {
    if (!take_prefix(rest, "//", 128, directive.prefix.v6) ||
        !take_prefix(rest, "/", 32, directive.prefix.v4)) {
      return wrong("a bad prefix length", term);
    }
  }
  if (rest.empty()) {
    if (kind == Mechanism::Include || kind == Mechanism::Exists) return wrong("no domain", term);
    return directive;
  }
  if (!rest.starts_with(':')) return wrong("an unexpected suffix", term);
  auto domain = MacroString::parse(rest.substr(1), MacroUse::DomainSpec);
  if (!domain) return wrong(domain, term);
  directive.domain = std::move(*domain);
  return directive;
}

std::expected<Directive, std::string> parse_directive(const Term& term) {
  const auto mechanism = mechanism_named(term.name);
  if (!mechanism || term.rest.starts_with('=')) return wrong("an unknown mechanism", term);
  Directive directive{.result = result_of(term.qualifier), .mechanism = *mechanism};
  directive.text = term.text;
  switch (*mechanism) {
    case Mechanism::All:
      if (!term.rest.empty()) return wrong("an unexpected suffix", term);
      return directive;
    case Mechanism::Ip4:
    case Mechanism::Ip6:
      return parse_network(term, std::move(directive));
    default:
      return parse_named(term, std::move(directive));
  }
}

/// Stores a known modifier; an unknown one only has to be well-formed (RFC 7208 §6).
std::expected<void, std::string> take_modifier(const Term& term, Record& record) {
  const auto value = term.rest.substr(1);
  const bool redirect = base::equal_ignoring_case(term.name, "redirect");
  const bool explanation = base::equal_ignoring_case(term.name, "exp");
  const bool known = redirect || explanation;
  auto parsed = MacroString::parse(value, known ? MacroUse::DomainSpec : MacroUse::Modifier);
  if (!parsed) return wrong(parsed, term);
  if (!known) return {};
  auto& place = redirect ? record.redirect : record.explanation;
  if (place) return wrong("a second modifier of this name", term);
  place = std::move(*parsed);
  return {};
}

bool is_modifier(const Term& term) {
  return term.qualifier.empty() && !term.name.empty() && base::is_alpha(term.name.front()) &&
         term.rest.starts_with('=');
}

}  // namespace

bool is_record(std::string_view text) {
  return base::starts_with_ignoring_case(text, kVersion) &&
         (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

std::expected<Record, std::string> parse_record(std::string_view text) {
  if (!is_record(text)) return std::unexpected("not an SPF record");
  Record record;
  text.remove_prefix(kVersion.size());
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return record;
    const Term term = take_apart(text.substr(0, text.find(' ')));
    text.remove_prefix(term.text.size());
    if (term.text.size() > kMaxTermOctets) return wrong("too many octets", term);
    if (is_modifier(term)) {
      const auto taken = take_modifier(term, record);
      if (!taken) return std::unexpected(taken.error());
      continue;
    }
    auto directive = parse_directive(term);
    if (!directive) return std::unexpected(std::move(directive.error()));
    record.directives.push_back(std::move(*directive));
  }
}

std::expected<const std::string*, NotOne> select_record(const std::vector<std::string>& texts) {
  const std::string* found = nullptr;
  for (const std::string& text : texts) {
    if (!is_record(text)) continue;
    if (found) return std::unexpected(NotOne::SeveralRecords);
    found = &text;
  }
  if (!found) return std::unexpected(NotOne::NoRecord);
  return found;
}

bool within(const address& client, const address& network, PrefixLengths prefix) {
  if (client.is_v4() != network.is_v4()) return false;
  const auto agree = [](const auto& a, const auto& b, std::size_t bits) {
    const std::size_t octets = bits / 8;
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(octets), b.begin())) {
      return false;
    }
    const auto rest = static_cast<unsigned>(bits % 8);
    return rest == 0 || ((a.at(octets) ^ b.at(octets)) >> (8U - rest)) == 0;
  };
  if (client.is_v4()) {
    return agree(client.to_v4().to_bytes(), network.to_v4().to_bytes(), prefix.v4);
  }
  return agree(client.to_v6().to_bytes(), network.to_v6().to_bytes(), prefix.v6);
}

std::string visible(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(shown, [](char c) { return c <= ' ' || c >= '\x7f'; }, '?');
  return shown;
}

std::string in_quotes(std::string_view text) {
  const bool whole = text.size() <= kQuotedOctets;
  return '"' + visible(text.substr(0, kQuotedOctets)) + (whole ? "\"" : "...\"");
}

}  // namespace relay::auth::spf
