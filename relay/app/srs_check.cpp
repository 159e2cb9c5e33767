#include "relay/app/srs_check.hpp"

#include <utility>

#include <boost/asio/ip/address.hpp>

#include "relay/app/self_check.hpp"
#include "relay/base/task.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

constexpr std::chrono::seconds kSelfCheckSpan{30};

base::Task<> check(ports::Resolver& resolver, const ports::Clock& clock, base::Log& log,
                   std::shared_ptr<const settings::Settings> settings,
                   std::vector<boost::asio::ip::address> own) {
  const auto deadline = base::Deadline::after(kSelfCheckSpan);
  const auto problems =
      co_await srs_dns_problems(resolver, std::move(settings), std::move(own), deadline);
  for (const std::string& problem : problems) {
    log.write(base::Event("srs_check", clock.wall(), base::Severity::Warning)
                  .flag("ok", false)
                  .text("problem", problem));
  }
  if (problems.empty()) log.write(base::Event("srs_check", clock.wall()).flag("ok", true));
}

}  // namespace

void check_srs_domain(const base::Executor& executor, ports::Resolver& resolver,
                      const ports::Clock& clock, base::Log& log,
                      std::shared_ptr<const settings::Settings> settings) {
  if (!settings->srs.domain) return;
  auto own = interface_addresses();
  for (const std::string& source : settings->outbound.source) {
    own.push_back(boost::asio::ip::make_address(source));
  }
  base::spawn_supervised(executor, "srs check",
                         check(resolver, clock, log, std::move(settings), std::move(own)));
}

}  // namespace relay::app
