// The configuration in force: read by all threads, replaced as a whole.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "relay/app/idle_thread.hpp"
#include "relay/app/policies.hpp"
#include "relay/app/redaction.hpp"
#include "relay/base/published.hpp"
#include "relay/base/time.hpp"

namespace relay::app {

/// Thread-safe, except for publish() and free_retired(), which must be called by one thread.
class Configuration {
 public:
  /// `warnings`: those of the loader.
  Configuration(Policies first, std::vector<settings::Problem> warnings, base::WallTime now);
  ~Configuration();

  /// The settings that only a start reads, with the values in use whatever was published later.
  /// Without aliases.
  const settings::Settings& started_with() const { return *started_with_; }

  std::shared_ptr<const Policies> in_force() const { return in_force_.get(); }

  /// Parts of the configuration in force, for readers that read one part repeatedly.
  const base::Published<settings::Settings>& settings() const { return settings_; }

  const base::Published<inbound::Policy>& inbound() const { return inbound_; }

  const base::Published<delivery::Policy>& delivery() const { return delivery_; }

  const base::Published<auth::SigningKeys>& signing() const { return signing_; }

  const base::Published<Redaction>& redaction() const { return redaction_; }

  /// Replaces all parts at the same instant.
  void publish(Policies next, base::WallTime now);

  /// Frees, on `idle`, replaced configurations that no session uses. True: some are still in use.
  bool free_retired(IdleThread& idle);

  base::WallTime loaded_at() const;

  /// Keys whose published values are not in use before the next start.
  std::vector<std::string> needs_restart() const;

  /// Warnings about the configuration in force, as far as its review has been made.
  std::vector<settings::Problem> warnings() const;
  void warn_of(std::vector<settings::Problem> warnings);

 private:
  const std::shared_ptr<const settings::Settings> started_with_;
  base::Published<Policies> in_force_;
  const base::Published<settings::Settings> settings_{in_force_, &Policies::settings};
  const base::Published<inbound::Policy> inbound_{in_force_, &Policies::inbound};
  const base::Published<delivery::Policy> delivery_{in_force_, &Policies::delivery};
  const base::Published<auth::SigningKeys> signing_{in_force_, &Policies::signing};
  const base::Published<Redaction> redaction_{in_force_, &Policies::redaction};
  std::vector<std::shared_ptr<const Policies>> retired_;  ///< used by the publishing thread only
  mutable std::mutex mutex_;                              ///< guards the members below
  base::WallTime loaded_at_;
  std::vector<std::string> needs_restart_;
  std::vector<settings::Problem> warnings_;
};

}  // namespace relay::app
