#include "relay/app/wiring_start_log.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <unistd.h>

#include "relay/app/endpoints.hpp"
#include "relay/app/version.hpp"
#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/io_errors.hpp"
#include "relay/ports/store_report.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

/// Classic tags are accepted until a date after an upgrade: log it, so that their end is no
/// surprise.
void log_classic_secrets(base::Log& log, base::WallTime now, const settings::Settings& settings) {
  for (const forward::SrsSecret& secret : settings.srs.secrets) {
    const base::WallTime until(std::chrono::seconds(secret.classic_until.value_or(0)));
    if (until <= now) continue;
    log.write(base::Event("srs_classic", now)
                  .text("secret", secret.id)
                  .text("until", base::rfc3339(until)));
  }
}

}  // namespace

void tell_extent(base::Event& event, const settings::Settings& settings) {
  std::vector<std::string> addresses;
  for (const ports::Endpoint& address : endpoints_of(settings.listeners)) {
    addresses.push_back(net::to_text(address));
  }
  std::size_t aliases = 0;
  for (const forward::HostedDomain& domain : settings.domains) {
    aliases += domain.aliases.size() + domain.patterns.size();
  }
  event.list("addresses", addresses)
      .flag("tls", settings.tls.has_value())
      .number("domains", static_cast<std::int64_t>(settings.domains.size()))
      .number("aliases", static_cast<std::int64_t>(aliases));
}

void log_start(base::Log& log, base::WallTime now, const settings::Settings& settings,
               const ports::StoreReport& queue, const HostFacts& host) {
  base::Event event("started", now);
  event.text("version", kVersion).number("pid", ::getpid());
  event.text("hostname", settings.hostname).text("config_hash", settings.hash);
  event.number("shards", static_cast<std::int64_t>(host.shards));
  tell_extent(event, settings);
  event.open("queue")
      .text("path", queue.place)
      .number("messages", static_cast<std::int64_t>(queue.messages))
      .flag("clean", queue.clean)
      .number("drafts_removed", queue.drafts_removed)
      .number("given_back", static_cast<std::int64_t>(queue.given_back));
  for (const ports::StoreDetail& detail : queue.details) event.text(detail.name, detail.value);
  event.close();
  event.open("libraries")
      .text("openssl", OpenSSL_version(OPENSSL_VERSION_STRING))
      .text(queue.engine.name, queue.engine.value)
      .text("unbound", dns::unbound_version())
      .close();
  event.number("landlock", host.landlock);
  log.write(std::move(event));
  if (host.landlock == 0) {
    log.write(std::move(base::Event("sandbox", now, base::Severity::Warning)
                            .text("problem", "this kernel has no Landlock, or we may not use it")
                            .text("consequence", "files are bounded by rights alone")));
  }
  if (host.room) {
    log.write(std::move(
        base::Event("disk", now, base::Severity::Warning).text("problem", host.room->text)));
  }
  log_classic_secrets(log, now, settings);
}

}  // namespace relay::app
