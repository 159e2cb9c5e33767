#include "relay/inbound/start_tls.hpp"

#include <chrono>

namespace relay::inbound {

namespace {

constexpr std::chrono::seconds kHandshakeSpan{60};
constexpr std::chrono::seconds kHelloSpan{60};
// How long a client waits for a place: may_begin() saw one, which others may have taken since.
constexpr std::chrono::seconds kPlaceSpan{10};
constexpr std::chrono::milliseconds kPlacePoll{200};

smtp::Reply ended(ClientConnection& connection, std::string_view why) {
  connection.end();
  return {454, {4, 7, 0}, why};
}

}  // namespace

base::Task<std::optional<smtp::Reply>> StartTls::secure(ClientConnection& connection,
                                                        const smtp::Reply& go_on,
                                                        const base::Origin& counted,
                                                        const Limits& limits) const {
  connection.say(go_on);
  const auto before = connection.after(limits.command).within(connection.session_end());
  const bool sent = co_await connection.flush(before);
  // Nothing sent in the clear may be taken as sent in TLS. The machine refuses pipelining after
  // STARTTLS; this checks it again.
  if (!sent || !connection.buffer().empty()) {
    connection.end();
    co_return std::nullopt;
  }
  const bool begun = co_await connection.await_hello(*parts_.tls, connection.after(kHelloSpan));
  if (!begun) co_return ended(connection, "No TLS handshake");
  auto place = co_await place_for(connection, counted, limits);
  if (!place) co_return ended(connection, "Too many TLS handshakes, and no place");
  place->may_yield({.executor = connection.executor(), .yield = [&connection] {
                      connection.end_transfer_of(std::chrono::seconds(0));
                    }});
  place->begins_to_wait();
  const auto secured = co_await connection.secure(*parts_.tls, connection.after(kHandshakeSpan));
  if (!secured) co_return ended(connection, ports::describe(secured.error()));
  co_return std::nullopt;
}

base::Task<std::optional<FairShare::Holding>> StartTls::place_for(
    const ClientConnection& connection, const base::Origin& counted, const Limits& limits) const {
  const base::Deadline deadline = connection.after(kPlaceSpan).within(connection.session_end());
  auto place = parts_.handshakes.enter(counted, limits);
  while (!place && !deadline.passed(parts_.clock.steady())) {
    co_await parts_.clock.sleep_until(parts_.clock.steady() + kPlacePoll);
    auto again = parts_.handshakes.enter(counted, limits);
    if (again) co_return again;
  }
  co_return place;
}

}  // namespace relay::inbound
