#include "relay/app/configuration.hpp"

#include <utility>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

/// Without the aliases: there may be a million of them.
std::shared_ptr<const settings::Settings> read_at_start_only(const settings::Settings& all) {
  auto kept = std::make_shared<settings::Settings>();
  kept->file = all.file;
  kept->threads = all.threads;
  kept->listeners = all.listeners;
  kept->limits = all.limits;
  kept->tls = all.tls;
  kept->dns = all.dns;
  kept->outbound = all.outbound;
  kept->queue = all.queue;
  kept->log = all.log;
  kept->control = all.control;
  return kept;
}

/// Keys that are read at start only.
std::vector<std::string> restart_keys(const settings::Settings& runs,
                                      const settings::Settings& next) {
  std::vector<std::string> keys;
  if (runs.queue.scheme != next.queue.scheme || runs.queue.server != next.queue.server ||
      runs.queue.path != next.queue.path) {
    keys.emplace_back("queue.store");
  }
  if (runs.queue.min_free != next.queue.min_free) keys.emplace_back("queue.min_free");
  if (runs.control.socket != next.control.socket) keys.emplace_back("control.socket");
  if (runs.threads != next.threads) keys.emplace_back("threads");
  if (runs.dns.forward_to != next.dns.forward_to ||
      runs.dns.trust_anchor != next.dns.trust_anchor ||
      runs.dns.trust_anchor_hash != next.dns.trust_anchor_hash) {
    keys.emplace_back("dns");
  }
  return keys;
}

}  // namespace

Configuration::Configuration(Policies first, std::vector<settings::Problem> warnings,
                             base::WallTime now)
    : started_with_(read_at_start_only(*first.settings)),
      in_force_(std::make_shared<const Policies>(std::move(first))),
      loaded_at_(now),
      warnings_(std::move(warnings)) {}

Configuration::~Configuration() = default;

void Configuration::publish(Policies next, base::WallTime now) {
  auto needs_restart = restart_keys(*started_with_, *next.settings);
  retired_.push_back(in_force_.get());
  in_force_.publish(std::make_shared<const Policies>(std::move(next)));
  const std::lock_guard lock(mutex_);
  loaded_at_ = now;
  needs_restart_ = std::move(needs_restart);
}

bool Configuration::free_retired(IdleThread& idle) {
  std::vector<std::shared_ptr<const Policies>> free;
  std::erase_if(retired_, [&](auto& policies) {
    // Nobody can get a new reference to a retired configuration: its count only falls.
    if (policies.use_count() > 1) return false;
    free.push_back(std::move(policies));
    return true;
  });
  if (!free.empty()) idle.run([&] { free.clear(); });
  return !retired_.empty();
}

base::WallTime Configuration::loaded_at() const {
  const std::lock_guard lock(mutex_);
  return loaded_at_;
}

std::vector<std::string> Configuration::needs_restart() const {
  const std::lock_guard lock(mutex_);
  return needs_restart_;
}

std::vector<settings::Problem> Configuration::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

void Configuration::warn_of(std::vector<settings::Problem> warnings) {
  const std::lock_guard lock(mutex_);
  warnings_ = std::move(warnings);
}

}  // namespace relay::app
