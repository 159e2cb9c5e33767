#include "relay/ports/dns_records.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "relay/base/text.hpp"

namespace relay::ports {

namespace {

using boost::asio::ip::address;

constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxNameOctets = 253;

// Octets of a record beside its data: owner as a compression pointer, type, class, TTL and length
// (RFC 1035 §3.2.1). Records that fitted into one DNS message are therefore never cut.
constexpr std::size_t kRecordOctets = 12;

bool is_plain_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelOctets &&
         std::ranges::all_of(label, [](char c) {
           return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
         });
}

/// Removes, beginning at the first record, each that no longer fits.
template <class T, class Size>
void keep_what_fits(std::vector<T>& records, Size size_of) {
  std::size_t octets = 0;
  std::erase_if(records, [&](const T& record) {
    const std::size_t size = kRecordOctets + size_of(record);
    if (octets + size > Resolver::kMaxAnswerOctets) return true;
    octets += size;
    return false;
  });
}

// Of two failures the one that claims less about the name: a temporary one if there is one.
DnsError weaker(DnsError a, DnsError b) {
  if (is_temporary(a)) return a;
  if (is_temporary(b)) return b;
  return a == b ? a : DnsError::NoData;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameOctets) return false;
  while (true) {
    const auto dot = name.find('.');
    if (!is_plain_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool may_be_host(std::string_view name) {
  if (!is_plain_name(name)) return false;
  if (name.ends_with('.')) name.remove_suffix(1);
  return !std::ranges::all_of(name.substr(name.rfind('.') + 1), base::is_digit);
}

std::expected<std::vector<MxHost>, DnsError> arranged_hosts(std::vector<MxHost> hosts) {
  const bool any = !hosts.empty();
  std::erase_if(hosts, [](const MxHost& host) { return host.name == "."; });
  if (any && hosts.empty()) return std::unexpected(DnsError::NullMx);
  const auto key = [](const MxHost& host) { return std::tie(host.preference, host.name); };
  std::ranges::sort(hosts, {}, key);
  const auto twins = std::ranges::unique(hosts, {}, key);
  hosts.erase(twins.begin(), twins.end());
  if (hosts.size() <= Resolver::kMaxMxHosts) return hosts;
  std::ranges::sort(hosts, {}, [](const MxHost& host) {
    return std::tuple(!may_be_host(host.name), host.preference, std::string_view(host.name));
  });
  hosts.resize(Resolver::kMaxMxHosts);
  std::ranges::sort(hosts, {}, key);
  return hosts;
}

std::vector<address> arranged_addresses(std::vector<address> addresses) {
  std::set<address> seen;
  std::erase_if(addresses, [&](const address& one) {
    return (one.is_v6() && one.to_v6().is_v4_mapped()) || !seen.insert(one).second;
  });
  const auto size = [](const address& one) -> std::size_t { return one.is_v4() ? 4 : 16; };
  std::size_t octets = 0;
  for (const address& one : addresses) octets += kRecordOctets + size(one);
  if (octets <= Resolver::kMaxAnswerOctets) return addresses;
  std::ranges::sort(addresses);
  keep_what_fits(addresses, size);
  return addresses;
}

Addresses joined_addresses(Addresses aaaa, Addresses a) {
  if (!aaaa && !a) return std::unexpected(weaker(aaaa.error(), a.error()));
  if (!aaaa || !a) {
    Addresses& heard = aaaa ? aaaa : a;
    const DnsError missed = aaaa ? a.error() : aaaa.error();
    if (heard->empty() && is_temporary(missed)) return std::unexpected(missed);
    return std::move(heard);
  }
  aaaa->insert(aaaa->end(), a->begin(), a->end());
  return aaaa;
}

std::vector<std::string> arranged_names(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return !may_be_host(name); });
  std::ranges::sort(names);
  const auto twins = std::ranges::unique(names);
  names.erase(twins.begin(), twins.end());
  keep_what_fits(names, [](const std::string& name) { return name.size() + 2; });
  return names;
}

std::vector<std::string> arranged_texts(std::vector<std::string> texts) {
  // Policies and keys begin with "v=". They are what callers ask for, so other texts of the same
  // name must not displace them.
  const auto rank = [](const std::string& text) {
    return std::tuple(!base::starts_with_ignoring_case(text, "v="), std::string_view(text));
  };
  std::ranges::sort(texts, {}, rank);
  keep_what_fits(texts, [](const std::string& text) { return text.size() + 1; });
  return texts;
}

}  // namespace relay::ports
