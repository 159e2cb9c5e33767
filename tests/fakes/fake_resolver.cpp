#include "tests/fakes/fake_resolver.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

#include <boost/asio/post.hpp>

#include "relay/base/text.hpp"
#include "relay/ports/dns_records.hpp"
#include "tests/fakes/zone_text.hpp"

namespace relay::fakes {

namespace {

using boost::asio::ip::address;
using ports::DnsError;

constexpr std::string_view kBlank = " \t";
constexpr int kMaxCnameLinks = 10;

std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
      continue;
    }
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

std::string joined(const std::vector<std::string>& strings) {
  std::string whole;
  for (const std::string& part : strings) whole += part;
  return whole;
}

ports::MxHost parse_mx(std::string_view rest) {
  ports::MxHost host;
  const auto number = take_word(rest);
  const auto* end = number.data() + number.size();
  if (std::from_chars(number.data(), end, host.preference).ptr != end || rest.empty()) {
    throw std::invalid_argument("MX wants a preference and a host");
  }
  host.name = presentation_name(rest);
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

/// Addresses of one type; NoData for none.
ports::Addresses answer_of(std::vector<address> records) {
  if (records.empty()) return std::unexpected(DnsError::NoData);
  return ports::arranged_addresses(std::move(records));
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
    name.txt.insert(character_strings(line));
  } else if (kind == "PTR") {
    name.ptr.push_back(presentation_name(line));
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
  if (name->mx.empty()) co_return std::unexpected(DnsError::NoData);
  auto hosts = ports::arranged_hosts(std::move(name->mx));
  if (!hosts) co_return std::unexpected(hosts.error());
  co_return ports::DnsAnswer<ports::MxHost>{std::move(*hosts), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> FakeResolver::addresses(
    std::string host, base::Deadline deadline) {
  auto name = co_await find("addresses", std::move(host), deadline);
  if (!name) co_return std::unexpected(name.error());
  auto records =
      ports::joined_addresses(answer_of(std::move(name->v6)), answer_of(std::move(name->v4)));
  if (!records) co_return std::unexpected(records.error());
  co_return ports::DnsAnswer<address>{std::move(*records), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> FakeResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline deadline) {
  auto name =
      co_await find(family == ports::IpFamily::V4 ? "a" : "aaaa", std::move(host), deadline);
  if (!name) co_return std::unexpected(name.error());
  auto records = answer_of(std::move(family == ports::IpFamily::V4 ? name->v4 : name->v6));
  if (!records) co_return std::unexpected(records.error());
  co_return ports::DnsAnswer<address>{std::move(*records), name->secure, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> FakeResolver::names(
    address address, base::Deadline deadline) {
  auto found = co_await find("ptr", address.to_string(), deadline);
  if (!found) co_return std::unexpected(found.error());
  if (found->ptr.empty()) co_return std::unexpected(DnsError::NoData);
  auto names = ports::arranged_names(std::move(found->ptr));
  co_return ports::DnsAnswer<std::string>{std::move(names), found->secure, found->ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> FakeResolver::txt(
    std::string name, base::Deadline deadline) {
  auto found = co_await find("txt", std::move(name), deadline);
  if (!found) co_return std::unexpected(found.error());
  if (found->txt.empty()) co_return std::unexpected(DnsError::NoData);
  std::vector<std::string> texts;
  for (const auto& strings : found->txt) texts.push_back(joined(strings));
  texts = ports::arranged_texts(std::move(texts));
  co_return ports::DnsAnswer<std::string>{std::move(texts), found->secure, found->ttl};
}

std::optional<base::SteadyTime> FakeResolver::last_outage() const {
  const std::lock_guard lock(mutex_);
  return outage_;
}

void FakeResolver::set_outage(base::SteadyTime at) {
  const std::lock_guard lock(mutex_);
  outage_ = at;
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
