// DNS lookups for commands, on their own thread: from the network, or from a zone file. Part of the
// composition root: names adapters.
#pragma once

#include <chrono>
#include <expected>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/system_clock.hpp"

namespace relay::settings {
struct Settings;
}

namespace relay::app {

class OfflineLookups {
 public:
  /// `world`: see dns::UnboundOptions. Without it the network is asked, as the daemon would.
  static std::expected<std::unique_ptr<OfflineLookups>, std::string> open(
      const settings::Settings& settings, std::optional<std::string> world);

  ports::Resolver& resolver() { return *resolver_; }

  ports::Clock& clock() { return clock_; }

  base::Executor executor() { return io_.get_executor(); }

  /// A resolver in front of this one, which lives as long as `this`: a question may outlast whoever
  /// asked it.
  template <class Made>
  Made& in_front() {
    auto made = std::make_shared<Made>(resolver());
    kept_.push_back(made);
    return *made;
  }

  /// Runs `task` on this thread, and meanwhile whatever it has started.
  template <class T>
  T await(base::Task<T> task) {
    auto result = boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) io_.run_one();
    return result.get();
  }

 private:
  OfflineLookups() = default;

  std::vector<std::shared_ptr<void>> kept_;
  boost::asio::io_context io_;
  net::SystemClock clock_;
  std::unique_ptr<dns::UnboundResolver> resolver_;
};

}  // namespace relay::app
