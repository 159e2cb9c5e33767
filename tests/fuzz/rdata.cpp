// Target 14: records of a hostile server.
#include "relay/dns/rdata.hpp"

#include <vector>

#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  if (const auto name = dns::parse_name(input)) {
    require(*name == "." || dns::is_queryable(*name), "a name can be asked for");
  }
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
    require(texts->size() <= ports::Resolver::kMaxTxtRecords, "capped");
    for (const auto& text : *texts) {
      require(text.size() <= ports::Resolver::kMaxTxtOctets, "each of them, too");
    }
  }
  if (const auto all = dns::select_addresses(records, records)) {
    require(all->size() <= ports::Resolver::kMaxAddresses, "capped");
  }
}
