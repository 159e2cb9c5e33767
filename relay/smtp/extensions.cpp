#include "relay/smtp/extensions.hpp"

#include <charconv>
#include <string_view>

#include "relay/base/text.hpp"

namespace relay::smtp {

namespace {

/// SIZE 0 and a number that cannot be read mean "no fixed limit" (RFC 1870 §4).
std::optional<std::uint64_t> read_limit(std::string_view argument) {
  std::uint64_t limit = 0;
  const char* const begin = argument.data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  const char* const end = begin + argument.size();
  const auto read = std::from_chars(begin, end, limit);
  if (read.ec != std::errc() || read.ptr != end || limit == 0) return std::nullopt;
  return limit;
}

}  // namespace

Extensions read_extensions(const RemoteReply& reply) {
  Extensions offered;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {  // the first line is the greeting
    const std::string_view line = reply.lines[i];
    const auto space = line.find(' ');
    const std::string_view keyword = line.substr(0, space);
    const auto is = [keyword](std::string_view name) {
      return base::equal_ignoring_case(keyword, name);
    };
    if (is("PIPELINING")) offered.pipelining = true;
    if (is("8BITMIME")) offered.eight_bit_mime = true;
    if (is("SMTPUTF8")) offered.smtputf8 = true;
    if (is("STARTTLS")) offered.starttls = true;
    if (is("SIZE")) {
      offered.size = true;
      if (space != std::string_view::npos) offered.max_size = read_limit(line.substr(space + 1));
    }
  }
  return offered;
}

}  // namespace relay::smtp
