#include "tests/fakes/fake_resolver.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <tuple>

#include <boost/asio/post.hpp>

#include "relay/base/text.hpp"

namespace relay::fakes {

namespace {

using boost::asio::ip::address;
using ports::DnsError;

constexpr std::string_view kBlank = " \t";
constexpr int kMaxCnameLinks = 10;

std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view take_word(std::string_view& rest) {
  const auto word = rest.substr(0, rest.find_first_of(kBlank));
  rest = trimmed(rest.substr(word.size()));
  return word;
}

std::string folded_name(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return base::lower(name);
}

std::string joined_strings(std::string_view rest) {
  std::string whole;
  while (!rest.empty()) {
    const auto end = rest.find('"', 1);
    if (rest.front() != '"' || end == std::string_view::npos) {
      throw std::invalid_argument("TXT wants quoted strings");
    }
    whole += rest.substr(1, end - 1);
    rest = trimmed(rest.substr(end + 1));
  }
  return whole;
}

ports::MxHost parse_mx(std::string_view rest) {
  ports::MxHost host;
  const auto number = take_word(rest);
  const auto* end = number.data() + number.size();
  if (std::from_chars(number.data(), end, host.preference).ptr != end || rest.empty()) {
    throw std::invalid_argument("MX wants a preference and a host");
  }
  for (const char c : folded_name(rest)) host.name += c == ' ' ? "\\032" : std::string(1, c);
  return host;
}

std::chrono::seconds parse_ttl(std::string_view text) {
  std::chrono::seconds::rep seconds = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end) throw std::invalid_argument("TTL wants seconds");
  return std::chrono::seconds(seconds);
}

std::optional<DnsError> parse_failure(std::string_view kind) {
  if (kind == "SERVFAIL") return DnsError::Temporary;
  if (kind == "BOGUS") return DnsError::Bogus;
  if (kind == "MALFORMED") return DnsError::Malformed;
  if (kind == "NXDOMAIN") return DnsError::NoSuchName;
  return std::nullopt;
}

template <class T>
void cap(std::vector<T>& records, std::size_t limit) {
  if (records.size() > limit)
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(limit), records.end());
}

}  // namespace

FakeResolver::FakeResolver(ports::Clock& clock, std::string_view zone)
    : clock_(clock), zone_(parse(zone)) {}

FakeResolver::Zone FakeResolver::parse(std::string_view zone) {
  Zone parsed;
  while (!zone.empty()) {
    const auto line = zone.substr(0, zone.find('\n'));
    zone.remove_prefix(std::min(zone.size(), line.size() + 1));
    const auto content = trimmed(without_comment(line));
    if (!content.empty()) parse_line(parsed, content);
  }
  return parsed;
}

void FakeResolver::parse_line(Zone& zone, std::string_view line) {
  Name& name = zone[folded_name(take_word(line))];
  const auto kind = take_word(line);
  if (kind == "MX") {
    name.mx.push_back(parse_mx(line));
  } else if (kind == "A") {
    name.v4.push_back(boost::asio::ip::make_address_v4(line));
  } else if (kind == "AAAA") {
    name.v6.push_back(boost::asio::ip::make_address_v6(line));
  } else if (kind == "TXT") {
    name.txt.push_back(joined_strings(line));
  } else if (kind == "PTR") {
    name.ptr.push_back(folded_name(line));
  } else if (kind == "CNAME") {
    name.cname = folded_name(line);
  } else if (kind == "TTL") {
    name.ttl = parse_ttl(line);
  } else if (kind == "SECURE") {
    name.secure = true;
  } else if (kind == "NEVER") {
    name.never = true;
  } else if (kind != "EXISTS") {
    name.fails = parse_failure(kind);
    if (!name.fails) throw std::invalid_argument("unknown record type " + std::string(kind));
  }
}

std::expected<FakeResolver::Name, DnsError> FakeResolver::look_up(std::string kind,
                                                                  std::string name) {
  const std::lock_guard lock(mutex_);
  std::string owner = folded_name(name);
  calls_.push_back(std::move(kind) + " " + owner);
  bool secure = true;
  auto ttl = std::chrono::seconds::max();
  for (int links = 0; links <= kMaxCnameLinks; ++links) {
    const auto found = zone_.find(owner);
    if (found == zone_.end()) return std::unexpected(DnsError::NoSuchName);
    Name answer = found->second;
    if (answer.fails) return std::unexpected(*answer.fails);
    secure = secure && answer.secure;
    answer.secure = secure;
    ttl = std::min(ttl, answer.ttl);
    answer.ttl = ttl;
    if (answer.cname.empty()) return answer;
    owner = answer.cname;
  }
  return std::unexpected(DnsError::Temporary);
}

base::Task<std::expected<FakeResolver::Name, DnsError>> FakeResolver::find(
    std::string kind, std::string name, base::Deadline deadline) {
  // A real answer never comes before the caller has been suspended.
  co_await boost::asio::post(base::use_task);
  if (deadline.passed(clock_.steady())) co_return std::unexpected(DnsError::Timeout);
  auto answer = look_up(std::move(kind), std::move(name));
  if (answer && answer->never) {
    base::Bell bell;
    const base::Cut::Wait wait(deadline.cut, [&bell] { bell.ring(); });
    co_await clock_.sleep_until(deadline.at, bell);
    co_return std::unexpected(DnsError::Timeout);
  }
  co_return answer;
}

base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, DnsError>> FakeResolver::mx(
    std::string domain, base::Deadline deadline) {
  auto name = co_await find("mx", std::move(domain), deadline);
  if (!name) co_return std::unexpected(name.error());
  auto& hosts = name->mx;
  if (hosts.empty()) co_return std::unexpected(DnsError::NoData);
  std::erase_if(hosts, [](const auto& host) { return host.name == "."; });
  if (hosts.empty()) co_return std::unexpected(DnsError::NullMx);
  std::sort(hosts.begin(), hosts.end(), [](const auto& a, const auto& b) {
    return std::tie(a.preference, a.name) < std::tie(b.preference, b.name);
  });
  cap(hosts, kMaxMxHosts);
  co_return ports::DnsAnswer<ports::MxHost>{std::move(hosts), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> FakeResolver::addresses(
    std::string host, base::Deadline deadline) {
  auto name = co_await find("addresses", std::move(host), deadline);
  if (!name) co_return std::unexpected(name.error());
  auto& records = name->v6;
  cap(records,
      std::max(kMaxAddresses / 2, kMaxAddresses - std::min(name->v4.size(), kMaxAddresses)));
  records.insert(records.end(), name->v4.begin(), name->v4.end());
  cap(records, kMaxAddresses);
  if (records.empty()) co_return std::unexpected(DnsError::NoData);
  co_return ports::DnsAnswer<address>{std::move(records), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> FakeResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline deadline) {
  auto name =
      co_await find(family == ports::IpFamily::V4 ? "a" : "aaaa", std::move(host), deadline);
  if (!name) co_return std::unexpected(name.error());
  auto& records = family == ports::IpFamily::V4 ? name->v4 : name->v6;
  if (records.empty()) co_return std::unexpected(DnsError::NoData);
  cap(records, kMaxAddresses);
  co_return ports::DnsAnswer<address>{std::move(records), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> FakeResolver::names(
    address address, base::Deadline deadline) {
  auto found = co_await find("ptr", address.to_string(), deadline);
  if (!found) co_return std::unexpected(found.error());
  auto& names = found->ptr;
  if (names.empty()) co_return std::unexpected(DnsError::NoData);
  std::sort(names.begin(), names.end());
  cap(names, kMaxNames);
  co_return ports::DnsAnswer<std::string>{std::move(names), found->secure, found->ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> FakeResolver::txt(
    std::string name, base::Deadline deadline) {
  auto found = co_await find("txt", std::move(name), deadline);
  if (!found) co_return std::unexpected(found.error());
  auto& texts = found->txt;
  if (texts.empty()) co_return std::unexpected(DnsError::NoData);
  std::erase_if(texts, [](const auto& text) { return text.size() > kMaxTxtOctets; });
  if (texts.empty()) co_return std::unexpected(DnsError::Malformed);
  cap(texts, kMaxTxtRecords);
  co_return ports::DnsAnswer<std::string>{std::move(texts), found->secure, found->ttl};
}

void FakeResolver::replace_zone(std::string_view zone) {
  auto parsed = parse(zone);
  const std::lock_guard lock(mutex_);
  zone_ = std::move(parsed);
}

std::vector<std::string> FakeResolver::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace relay::fakes
