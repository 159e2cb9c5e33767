// A DNS written in the test, and a loop to ask it in.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/auth/dmarc/discovery.hpp"
#include "relay/auth/dmarc/evaluation.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth::dmarc {

class NameWorld {
 public:
  explicit NameWorld(std::string_view zone) : resolver_(clock_, zone) {}

  Findings discover(Question question) {
    return support::run_task(io_, dmarc::discover(resolver_, std::move(question), deadline()));
  }

  /// Discovery and evaluation for one author.
  mail::DmarcVerdict verdict(const std::string& author, const Identifiers& identifiers,
                             const OrganisationalDomain* suffixes = nullptr) {
    return evaluate(discover({{author}, identifiers, suffixes}), identifiers);
  }

  /// The DMARC records asked for so far, without "_dmarc.", in order.
  std::vector<std::string> walked() const {
    constexpr std::string_view kPrefix = "txt _dmarc.";
    std::vector<std::string> names;
    for (const std::string& call : resolver_.calls()) {
      if (call.starts_with(kPrefix)) names.push_back(call.substr(kPrefix.size()));
    }
    return names;
  }

  std::size_t questions() const { return resolver_.calls().size(); }

  base::Deadline deadline() const { return {clock_.steady() + std::chrono::seconds(8)}; }

  fakes::FakeResolver& resolver() { return resolver_; }

  boost::asio::io_context& io() { return io_; }

 private:
  fakes::FakeClock clock_;
  boost::asio::io_context io_;
  fakes::FakeResolver resolver_;
};

}  // namespace relay::auth::dmarc
