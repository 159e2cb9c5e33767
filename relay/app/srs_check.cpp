// Relay::check_srs_domain(): whether the world can answer what we send under the SRS domain.
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "relay/app/endpoints.hpp"
#include "relay/app/self_check.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/task.hpp"

namespace relay::app {

namespace {

constexpr std::chrono::seconds kSelfCheckSpan{30};

}  // namespace

void Relay::check_srs_domain(std::shared_ptr<const settings::Settings> settings) {
  if (!settings->srs.domain) return;
  auto own = interface_addresses();
  for (const std::string& source : settings->outbound.source) {
    own.push_back(boost::asio::ip::make_address(source));
  }
  const auto check = [](Relay& relay, std::shared_ptr<const settings::Settings> checked,
                        std::vector<boost::asio::ip::address> addresses) -> base::Task<> {
    const auto deadline = base::Deadline::after(kSelfCheckSpan);
    const auto problems =
        co_await srs_dns_problems(*relay.resolver_, checked, std::move(addresses), deadline);
    for (const std::string& problem : problems) {
      relay.log_->write(base::Event("srs_check", relay.clock_.wall(), base::Severity::Warning)
                            .flag("ok", false)
                            .text("problem", problem));
    }
    if (problems.empty()) {
      relay.log_->write(base::Event("srs_check", relay.clock_.wall()).flag("ok", true));
    }
  };
  base::spawn_supervised(shards_.at(0).executor(), "srs check",
                         check(*this, std::move(settings), std::move(own)));
}

}  // namespace relay::app
