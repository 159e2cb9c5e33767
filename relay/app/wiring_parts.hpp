// Everything that can make a start fail and can be checked without side effects: no port is opened,
// no queue opened, no file created. `serve` starts with these parts, `reload` swaps them in, and
// `check` makes and discards them, so that an error for one is an error for all. Part of the
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

namespace relay::settings {
struct Problem;
struct Settings;
}  // namespace relay::settings

namespace relay::app {

struct Parts {
  std::shared_ptr<const settings::Settings> settings;  ///< null: could not be read
  review::ClassicBefore classic_before;                ///< already applied to the secrets
  std::optional<Policies> policies;
  std::shared_ptr<const net::TlsContext> server_tls;  ///< null: no [tls]
  net::ClientTls client_tls;
  /// Reasons not to start, as errors; doubts of the loader, as warnings.
  std::vector<settings::Problem> problems;

  /// True if there is no error; then all members above are set.
  bool can_start() const;
};

/// Whether to check the places that a start occupies: addresses, queue, log, control socket.
enum class Places {
  Judge,
  LeaveAlone,  ///< the running relay occupies them
};

/// Reads the configuration and makes as many parts as possible, so that one run reports every
/// problem. Reads again if files change meanwhile, also if it could not be read and changes within
/// a tenth of a second. `running`: what the running relay knows of classic tags, see
/// load_and_recall(). `given`: the sockets that systemd has opened.
Parts make_parts(const std::string& config_path, Places places, const GivenSockets& given,
                 const std::optional<review::ClassicBefore>& running = std::nullopt);

/// A resolver as configured, on the loop `home`.
std::expected<std::unique_ptr<dns::UnboundResolver>, std::string> open_resolver(
    boost::asio::io_context& home, const settings::Settings& settings);

}  // namespace relay::app
