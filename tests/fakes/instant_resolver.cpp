#include "tests/fakes/instant_resolver.hpp"

#include <algorithm>
#include <array>

#include "relay/base/text.hpp"
#include "tests/fakes/zone_text.hpp"

namespace relay::fakes {

namespace {

using boost::asio::ip::address;
using ports::DnsError;

constexpr int kMaxCnameLinks = 10;
constexpr std::size_t kMaxNameOctets = 253;
constexpr std::size_t kMaxLabelOctets = 63;

std::string folded_name(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return base::lower(name);
}

bool can_exist(std::string_view name) {
  if (name.size() > kMaxNameOctets) return false;
  for (;;) {
    const auto label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > kMaxLabelOctets) return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

std::string reverse_name(const address& address) {
  std::string name;
  if (address.is_v4()) {
    for (const auto octet : address.to_v4().to_bytes()) {
      name.insert(0, std::to_string(octet) + ".");
    }
    return name + "in-addr.arpa";
  }
  static constexpr std::string_view kHex = "0123456789abcdef";
  for (const auto octet : address.to_v6().to_bytes()) {
    name.insert(0, {kHex[octet & 15U], '.', kHex[octet >> 4U], '.'});
  }
  return name + "ip6.arpa";
}

std::string_view name_of(InstantResolver::Type type) {
  static constexpr std::array<std::string_view, 6> kNames = {"a",   "aaaa", "mx",
                                                             "txt", "ptr",  "cname"};
  return kNames.at(static_cast<std::size_t>(type));
}

/// Addresses of one type; NoData for none.
ports::Addresses answer_of(std::vector<address> records) {
  if (records.empty()) return std::unexpected(DnsError::NoData);
  return ports::arranged_addresses(std::move(records));
}

}  // namespace

InstantResolver::Name& InstantResolver::at(std::string_view name) {
  return names_[folded_name(name)];
}

void InstantResolver::add_name(std::string_view name) { at(name); }

void InstantResolver::add_address(std::string_view name, const address& address) {
  Name& owner = at(name);
  (address.is_v4() ? owner.v4 : owner.v6).push_back(address);
}

void InstantResolver::add_mx(std::string_view name, std::uint16_t preference,
                             std::string_view host) {
  at(name).mx.push_back({preference, host.empty() ? "." : presentation_name(host)});
}

void InstantResolver::add_txt(std::string_view name, std::string text) {
  at(name).txt.push_back(std::move(text));
}

void InstantResolver::add_ptr(std::string_view name, std::string_view target) {
  at(name).ptr.push_back(presentation_name(target));
}

void InstantResolver::add_cname(std::string_view name, std::string_view target) {
  at(name).cname = folded_name(target);
}

void InstantResolver::set_ttl(std::string_view name, std::chrono::seconds ttl) {
  at(name).ttl = ttl;
}

void InstantResolver::fail(std::string_view name, Type type) { at(name).failing.insert(type); }

void InstantResolver::time_out(std::string_view name) { at(name).silent = true; }

void InstantResolver::fail_where(std::function<bool(const std::string&)> matches) {
  failing_ = std::move(matches);
}

std::expected<InstantResolver::Found, DnsError> InstantResolver::find(const std::string& name,
                                                                      Type type) {
  std::string owner = folded_name(name);
  calls_.push_back(std::string(name_of(type)) + " " + owner);
  if (!can_exist(owner)) return std::unexpected(DnsError::NoSuchName);
  auto ttl = std::chrono::seconds::max();
  for (int links = 0; links <= kMaxCnameLinks; ++links) {
    if (failing_ && failing_(owner)) return std::unexpected(DnsError::Temporary);
    const auto found = names_.find(owner);
    if (found == names_.end()) return std::unexpected(DnsError::NoSuchName);
    if (found->second.silent) return std::unexpected(DnsError::Timeout);
    if (found->second.failing.contains(type)) return std::unexpected(DnsError::Temporary);
    ttl = std::min(ttl, found->second.ttl);
    if (found->second.cname.empty()) return Found{&found->second, ttl};
    owner = found->second.cname;
  }
  return std::unexpected(DnsError::Temporary);
}

base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, DnsError>> InstantResolver::mx(
    std::string domain, base::Deadline) {
  const auto name = find(domain, Type::Mx);
  if (!name) co_return std::unexpected(name.error());
  if (name->records->mx.empty()) co_return std::unexpected(DnsError::NoData);
  auto hosts = ports::arranged_hosts(name->records->mx);
  if (!hosts) co_return std::unexpected(hosts.error());
  co_return ports::DnsAnswer<ports::MxHost>{std::move(*hosts), false, name->ttl};
}

ports::Addresses InstantResolver::addresses_at(const std::string& host, Type type,
                                               std::chrono::seconds& ttl) {
  const auto name = find(host, type);
  if (!name) return std::unexpected(name.error());
  ttl = std::min(ttl, name->ttl);
  return answer_of(type == Type::A ? name->records->v4 : name->records->v6);
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> InstantResolver::addresses(
    std::string host, base::Deadline) {
  auto ttl = std::chrono::seconds::max();
  auto aaaa = addresses_at(host, Type::Aaaa, ttl);
  auto records = ports::joined_addresses(std::move(aaaa), addresses_at(host, Type::A, ttl));
  if (!records) co_return std::unexpected(records.error());
  co_return ports::DnsAnswer<address>{std::move(*records), false, ttl};
}

base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> InstantResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline) {
  auto ttl = std::chrono::seconds::max();
  auto records = addresses_at(host, family == ports::IpFamily::V4 ? Type::A : Type::Aaaa, ttl);
  if (!records) co_return std::unexpected(records.error());
  co_return ports::DnsAnswer<address>{std::move(*records), false, ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> InstantResolver::names(
    address address, base::Deadline) {
  const auto name = find(reverse_name(address), Type::Ptr);
  if (!name) co_return std::unexpected(name.error());
  if (name->records->ptr.empty()) co_return std::unexpected(DnsError::NoData);
  auto names = ports::arranged_names(name->records->ptr);
  co_return ports::DnsAnswer<std::string>{std::move(names), false, name->ttl};
}

base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> InstantResolver::txt(
    std::string name, base::Deadline) {
  const auto found = find(name, Type::Txt);
  if (!found) co_return std::unexpected(found.error());
  if (found->records->txt.empty()) co_return std::unexpected(DnsError::NoData);
  auto texts = ports::arranged_texts(found->records->txt);
  co_return ports::DnsAnswer<std::string>{std::move(texts), false, found->ttl};
}

}  // namespace relay::fakes
