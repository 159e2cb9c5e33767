// Records of a hostile server.
#include "relay/dns/rdata.hpp"

#include <vector>

#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  if (const auto mx = dns::parse_mx(input)) {
    for (const char c : mx->name) require(c > ' ' && c <= '~', "an MX is shown in visible ASCII");
  }
  dns::parse_a(input);
  dns::parse_aaaa(input);
  dns::parse_txt(input);
  std::vector<std::string> records;
  fuzz::in_pieces(input, [&](std::string_view piece) { records.emplace_back(piece); });
  if (records.empty()) return;
  if (const auto hosts = dns::select_mx(records)) {
    require(hosts->size() <= ports::Resolver::kMaxMxHosts, "capped");
  }
  if (const auto texts = dns::select_txt(records)) {
    std::size_t octets = 0;
    for (const auto& text : *texts) octets += text.size();
    require(octets <= ports::Resolver::kMaxAnswerOctets, "all of them, too");
  }
  if (const auto names = dns::select_names(records)) {
    for (const auto& name : *names) require(ports::may_be_host(name), "a name can be asked for");
  }
  for (const auto family : {ports::IpFamily::V4, ports::IpFamily::V6}) {
    const auto all = dns::select_addresses(family, records);
    require(!all || all->size() <= records.size(), "no more than there were");
  }
}
