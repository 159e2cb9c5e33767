// Relay::reload(): the configuration read again, and swapped as a whole or not at all.
#include <algorithm>

#include "relay/app/endpoints.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/consent.hpp"

namespace relay::app {

namespace {

bool same_listeners(const settings::Settings& a, const settings::Settings& b) {
  const auto before = endpoints_of(a);
  const auto after = endpoints_of(b);
  return before.size() == after.size() &&
         std::equal(before.begin(), before.end(), after.begin(),
                    [](const ports::Endpoint& x, const ports::Endpoint& y) {
                      return x.address == y.address && x.port == y.port;
                    });
}

/// Keys that are read at start only.
std::vector<std::string> restart_keys(const settings::Settings& now,
                                      const settings::Settings& next) {
  std::vector<std::string> keys;
  if (!same_listeners(now, next)) keys.emplace_back("listener.address");
  if (now.queue.path != next.queue.path) keys.emplace_back("queue.store");
  if (now.queue.min_free != next.queue.min_free) keys.emplace_back("queue.min_free");
  if (now.control.socket != next.control.socket) keys.emplace_back("control.socket");
  if (now.log.file != next.log.file) keys.emplace_back("log.file");
  if (now.threads != next.threads) keys.emplace_back("threads");
  if (now.limits.memory != next.limits.memory) keys.emplace_back("limits.memory");
  if (now.tls.has_value() != next.tls.has_value()) keys.emplace_back("tls");
  if (now.outbound.ca_file != next.outbound.ca_file) keys.emplace_back("outbound.ca_file");
  if (now.dns.forward_to != next.dns.forward_to || now.dns.trust_anchor != next.dns.trust_anchor) {
    keys.emplace_back("dns");
  }
  return keys;
}

}  // namespace

void Relay::release_confirmed() {
  const auto release = [](Relay& relay) -> base::Task<> {
    const auto released =
        co_await inbound::release_confirmed(relay.spool_->consent(), relay.inbound_policy_);
    if (!released || *released == 0) co_return;
    relay.log_->write(base::Event("confirmed", relay.clock_.wall())
                          .number("released", static_cast<std::int64_t>(*released)));
    relay.scheduler_->wake();
  };
  base::spawn_supervised(shards_.at(0).executor(), "release of confirmed", release(*this));
}

void Relay::reopen_log() {
  if (auto reopened = log_->reopen(); !reopened) {
    log_->write(std::move(base::Event("log", clock_.wall(), base::Severity::Warning)
                              .text("problem", reopened.error())
                              .text("consequence", "the file opened before stays in use")));
  }
}

ops::ReloadResult Relay::reload() {
  reopen_log();
  ops::ReloadResult result;
  const std::lock_guard lock(mutex_);
  Parts next = make_parts(settings_->file, Places::LeaveAlone, classic_before_);
  if (!next.can_start()) {
    for (const auto& problem : next.problems) {
      if (!problem.warning) result.problems.push_back(render(problem));
    }
    log_->write(base::Event("reload", clock_.wall(), base::Severity::Error)
                    .flag("applied", false)
                    .text("problem", result.problems.front()));
    return result;
  }
  // Nothing can fail from here on: all or nothing was decided above.
  result.needs_restart = restart_keys(*settings_, *next.settings);
  if (server_tls_ && next.server_tls) {
    server_tls_->publish(next.server_tls);
    certificate_watch_->watch(
        {.chain = next.settings->tls->certificate_file, .key = next.settings->tls->key_file});
  }
  inbound_policy_.publish(next.policies->inbound);
  delivery_policy_.publish(next.policies->delivery);
  signing_keys_.publish(next.policies->signing);
  log_->redact(next.policies->redaction);
  settings_ = next.settings;
  loaded_at_ = clock_.wall();
  result.applied = true;
  log_->write(base::Event("reload", clock_.wall())
                  .flag("applied", true)
                  .text("config_hash", settings_->hash));
  scheduler_->wake();
  release_confirmed();
  check_srs_domain(settings_);
  warnings_ = review(policies(), std::move(next.problems));
  result.warnings = warnings();
  return result;
}

}  // namespace relay::app
