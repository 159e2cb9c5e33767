// Verdicts by a pipe, for comparison with implementations that are not ours. A line in is
// {"author": …, "spf": …, "dkim": […], "txt": {name: record}, "psl": true}; a line out is the
// result and what is asked for.
#include <cstdio>
#include <iostream>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "relay/auth/dmarc/discovery.hpp"
#include "relay/auth/dmarc/evaluation.hpp"
#include "tests/fakes/instant_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace relay;

namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

mail::DmarcVerdict verdict_on(const boost::json::value& line,
                              const auth::OrganisationalDomain& suffixes) {
  fakes::InstantResolver resolver;
  for (const auto& [name, record] : line.at("txt").as_object()) {
    resolver.add_txt(std::string(name), text(record));
  }
  auth::dmarc::Identifiers identifiers{.spf = text(line.at("spf"))};
  for (const auto& domain : line.at("dkim").as_array()) identifiers.dkim.push_back(text(domain));
  const bool by_list = line.at("psl").as_bool();
  boost::asio::io_context io;
  const auto findings = support::run_task(
      io, auth::dmarc::discover(
              resolver, {{text(line.at("author"))}, identifiers, by_list ? &suffixes : nullptr},
              support::soon()));
  return auth::dmarc::evaluate(findings, identifiers);
}

}  // namespace

int main() {
  const auth::OrganisationalDomain suffixes;
  for (std::string line; std::getline(std::cin, line);) {
    const auto verdict = verdict_on(boost::json::parse(line), suffixes);
    std::cout << name_of(verdict.result) << ' ' << name_of(verdict.policy) << '\n';
  }
}
