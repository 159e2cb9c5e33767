#include "relay/app/self_check.hpp"

#include <algorithm>
#include <memory>
#include <variant>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"

namespace relay::app {

namespace {

/// Short enough to need no token, and in a domain that cannot exist: .invalid (RFC 2606).
constexpr std::string_view kProbe = "self-check@probe.invalid";

}  // namespace

std::optional<std::string> srs_round_trip_problem(const forward::Planner& planner,
                                                  base::WallTime now) {
  if (planner.directory().senders().rewriter() == nullptr) return std::nullopt;
  const auto probe = mail::Mailbox::parse(kProbe);
  const auto rewritten = planner.directory().senders().rewrite(
      *probe, {mail::MessageId(), std::string(), false, false, now});
  if (rewritten.reverse_path.is_null() || rewritten.token) {
    return "srs: no SRS address can be made for " + std::string(kProbe);
  }
  const mail::Mailbox& made = rewritten.reverse_path.mailbox();
  const auto found = planner.directory().resolve(mail::ForwardPath(made), now);
  const auto* taken = std::get_if<forward::ResolvedRecipient>(&found);
  if (taken != nullptr && taken->is_bounce && taken->targets.size() == 1 &&
      taken->targets.front() == *probe) {
    return std::nullopt;
  }
  return "srs: a bounce to " + made.to_string() + " would not find its way back";
}

namespace {

base::Task<> look_at(ports::Resolver& resolver, std::string domain, std::string hostname,
                     const std::vector<boost::asio::ip::address>& own, base::Deadline deadline,
                     std::vector<std::string>& problems) {
  const auto hosts = co_await resolver.mx(domain, deadline);
  if (!hosts && ports::is_temporary(hosts.error())) {
    problems.push_back("MX of " + domain +
                       " cannot be looked up: " + std::string(ports::describe(hosts.error())));
  } else if (!hosts) {
    problems.push_back(domain + " has no usable MX: bounces may not come back");
  } else {
    bool here = false;
    for (const auto& host : hosts->records) {
      here = here || host.name == hostname;
      if (here) break;
      const auto addresses = co_await resolver.addresses(host.name, deadline);
      here = addresses && std::ranges::any_of(addresses->records, [&](const auto& address) {
               return std::ranges::find(own, address) != own.end();
             });
    }
    if (!here) {
      problems.push_back("no MX of " + domain + " points to " + hostname +
                         ": bounces go elsewhere");
    }
  }

  const auto texts = co_await resolver.txt(domain, deadline);
  if (!texts && ports::is_temporary(texts.error())) {
    problems.push_back("TXT of " + domain +
                       " cannot be looked up: " + std::string(ports::describe(texts.error())));
    co_return;
  }
  const bool has_spf = texts && std::ranges::any_of(texts->records, [](const std::string& text) {
                         return base::starts_with_ignoring_case(text, "v=spf1");
                       });
  if (!has_spf) {
    problems.push_back(domain + " has no SPF record: next hops cannot see that we may send for it");
  }
}

}  // namespace

base::Task<std::vector<std::string>> srs_dns_problems(ports::Resolver& resolver,
                                                      std::shared_ptr<const forward::Policy> policy,
                                                      std::vector<boost::asio::ip::address> own,
                                                      base::Deadline deadline) {
  std::vector<std::string> problems;
  for (const mail::Domain& domain : policy->srs_domains()) {
    co_await look_at(resolver, domain.folded(), policy->hostname, own, deadline, problems);
  }
  co_return problems;
}

std::vector<boost::asio::ip::address> interface_addresses() {
  std::vector<boost::asio::ip::address> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      addresses.emplace_back(boost::asio::ip::address_v4(ntohl(v4->sin_addr.s_addr)));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      boost::asio::ip::address_v6::bytes_type octets;
      std::copy_n(v6->sin6_addr.s6_addr, octets.size(), octets.begin());
      addresses.emplace_back(boost::asio::ip::address_v6(octets));
    }
  }
  return addresses;
}

}  // namespace relay::app
