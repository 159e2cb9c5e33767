// The configuration in force: read by everybody, replaced as a whole.
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

/// Thread-safe, but for publish() and free_retired(), which belong to one thread.
class Configuration {
 public:
  /// `warnings`: what the loader is in doubt of.
  Configuration(Policies first, std::vector<settings::Problem> warnings, base::WallTime now);

  /// What is read at start alone, as it runs, whatever has been published since. Without aliases.
  const settings::Settings& started_with() const { return *started_with_; }

  std::shared_ptr<const Policies> in_force() const { return in_force_.get(); }

  /// Parts of what is in force, for those who read one again and again.
  const base::Published<settings::Settings>& settings() const { return settings_; }

  const base::Published<inbound::Policy>& inbound() const { return inbound_; }

  const base::Published<delivery::Policy>& delivery() const { return delivery_; }

  const base::Published<auth::SigningKeys>& signing() const { return signing_; }

  const base::Published<Redaction>& redaction() const { return redaction_; }

  /// Everything together, at one instant.
  void publish(Policies next, base::WallTime now);

  /// Frees, on `idle`, what no session has any more. True: somebody still has what was replaced.
  bool free_retired(IdleThread& idle);

  base::WallTime loaded_at() const;

  /// Keys whose values in force are not what runs: they take effect at the next start.
  std::vector<std::string> needs_restart() const;

  /// What speaks against the configuration in force, as far as it has been thought over.
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
  std::vector<std::shared_ptr<const Policies>> retired_;  ///< of the thread that publishes
  mutable std::mutex mutex_;                              ///< of what follows
  base::WallTime loaded_at_;
  std::vector<std::string> needs_restart_;
  std::vector<settings::Problem> warnings_;
};

}  // namespace relay::app
