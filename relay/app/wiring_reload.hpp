// A reload: reads the configuration again and replaces it as a whole, or not at all. Part of the
// composition root: names adapters.
#pragma once

#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "relay/app/log_sink.hpp"
#include "relay/app/reload_thread.hpp"
#include "relay/app/wiring_in_force.hpp"
#include "relay/app/wiring_listeners.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/net/pool_dialer.hpp"

namespace relay::app {

class Reloader {
 public:
  /// All must outlive the reloader.
  struct Uses {
    InForce& in_force;
    Listeners& listeners;
    net::PoolDialer& dialer;
    LogSink& log;
    const ports::Clock& clock;
    std::function<void()> on_published;  ///< on the reload thread, before the review
  };

  explicit Reloader(Uses uses) : uses_(std::move(uses)) {}

  /// Begins with a review of the configuration in force. Call before ask() and give_up().
  void start();

  /// Replaces everything that a reload can replace, or nothing; answers on the reload thread.
  void ask(ops::Asker asker, ReloadThread::Answer answer);

  /// No configuration is applied after this.
  void give_up();

  /// Whether a configuration is being read, which the destructor would wait for.
  bool is_busy() const { return thread_ && thread_->is_busy(); }

 private:
  /// What is opened before anything is replaced, since opening can fail.
  struct Prepared;

  /// Why nothing is replaced.
  struct Objection {
    std::string text;  ///< perhaps with the line of the file, and carets below it
    std::string line;  ///< the same on one line
  };

  std::expected<Prepared, std::string> prepare(const settings::Settings& next);
  std::vector<Objection> objections(const Parts& next) const;
  /// On the reload thread.
  ops::ReloadResult reload_now(const std::vector<ops::Asker>& asked_by);
  bool put_in_force(Parts& next, Listeners::Change listeners);
  /// `log`: set if the log goes on in another file, `log_file`.
  ops::ReloadResult tell_applied(const std::vector<ops::Asker>& asked_by,
                                 std::vector<settings::Problem> of_loader,
                                 const std::string& log_file, std::optional<base::LogFile> log);
  ops::ReloadResult refuse(const std::vector<ops::Asker>& asked_by,
                           std::vector<Objection> objections);

  const Uses uses_;
  std::mutex mutex_;
  bool gave_up_ = false;                ///< guarded by mutex_
  std::optional<ReloadThread> thread_;  ///< last, because it uses everything above
};

}  // namespace relay::app
