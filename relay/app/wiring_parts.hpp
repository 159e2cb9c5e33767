// All that a start can refuse and that can be known without taking anything: no port is listened
// on, no queue opened, no file made. `serve` starts with these parts, `reload` swaps them, and
// `check` makes them and throws them away: what is an error to one is an error to all. Part of the
// composition root: names adapters.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/app/given_sockets.hpp"
#include "relay/app/policies.hpp"
#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/dialer.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/review/remembered_secrets.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

struct Parts {
  std::shared_ptr<const settings::Settings> settings;  ///< null: they could not be read
  review::ClassicBefore classic_before;                ///< already in the secrets
  std::optional<Policies> policies;
  std::shared_ptr<const net::TlsContext> server_tls;  ///< null: no [tls]
  net::ClientTls client_tls;
  /// Every reason not to start, as errors; what the loader is in doubt of, as warnings.
  std::vector<settings::Problem> problems;

  /// Then everything above is there.
  bool can_start() const;
};

/// The places a start takes: addresses, queue, log, control socket.
enum class Places {
  Judge,
  LeaveAlone,  ///< whoever runs has them
};

/// Reads the configuration and makes the parts, as many as can be made: every problem in one run.
/// `running`: what is known of classic tags in a relay that runs, see load_and_recall().
/// Files that change meanwhile are read again, and so is what could not be read and changes within
/// a tenth of a second. `given`: what systemd has opened.
Parts make_parts(const std::string& config_path, Places places, const GivenSockets& given,
                 const std::optional<review::ClassicBefore>& running = std::nullopt);

/// As the configuration says, on the loop `home`.
std::expected<std::unique_ptr<dns::UnboundResolver>, std::string> open_resolver(
    boost::asio::io_context& home, const settings::Settings& settings);

}  // namespace relay::app
