#include "relay/smtp/extensions.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "relay/base/text.hpp"

namespace relay::smtp {

namespace {

/// SIZE 0, and a value that is not a number, mean "no fixed limit" (RFC 1870 §4).
std::optional<std::uint64_t> read_limit(std::string_view argument) {
  std::uint64_t limit = 0;
  const char* const begin = argument.data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  const char* const end = begin + argument.size();
  const auto read = std::from_chars(begin, end, limit);
  if (read.ec != std::errc() || read.ptr != end || limit == 0) return std::nullopt;
  return limit;
}

/// One to six digits, not beginning with zero (RFC 9422 §4); nullopt, no limit, for anything else.
std::optional<std::uint32_t> read_count(std::string_view value) {
  constexpr std::size_t kMaxDigits = 6;
  if (value.empty() || value.size() > kMaxDigits || value.front() == '0') return std::nullopt;
  std::uint32_t count = 0;
  for (const char digit : value) {
    if (!base::is_digit(digit)) return std::nullopt;
    count = count * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return count;
}

/// Parses "RCPTMAX=20 MAILMAX=5"; skips what is unknown or malformed.
void read_limits(std::string_view arguments, Extensions& offered) {
  while (!arguments.empty()) {
    const auto limit = arguments.substr(0, arguments.find(' '));
    arguments.remove_prefix(std::min(arguments.size(), limit.size() + 1));
    const auto equals = limit.find('=');
    if (equals == std::string_view::npos) continue;
    const auto count = read_count(limit.substr(equals + 1));
    const auto name = limit.substr(0, equals);
    if (!count) continue;
    if (base::equal_ignoring_case(name, "MAILMAX")) offered.mail_max = count;
    if (base::equal_ignoring_case(name, "RCPTMAX")) offered.rcpt_max = count;
    if (base::equal_ignoring_case(name, "RCPTDOMAINMAX")) offered.rcpt_domain_max = count;
  }
}

}  // namespace

Extensions read_extensions(const RemoteReply& reply) {
  Extensions offered;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {  // the first line is the greeting
    const std::string_view line = reply.lines[i];
    const auto space = line.find(' ');
    const std::string_view keyword = line.substr(0, space);
    const std::string_view arguments =
        space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    const auto is = [keyword](std::string_view name) {
      return base::equal_ignoring_case(keyword, name);
    };
    if (is("PIPELINING")) offered.pipelining = true;
    if (is("8BITMIME")) offered.eight_bit_mime = true;
    if (is("SMTPUTF8")) offered.smtputf8 = true;
    if (is("STARTTLS")) offered.starttls = true;
    if (is("LIMITS")) read_limits(arguments, offered);
    if (is("SIZE")) {
      offered.size = true;
      if (!arguments.empty()) offered.max_size = read_limit(arguments);
    }
  }
  return offered;
}

}  // namespace relay::smtp
