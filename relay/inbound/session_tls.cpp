// The part of Session for STARTTLS: the reply, a place for the handshake, the handshake.
#include <chrono>

#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

constexpr std::chrono::seconds kHandshakeSpan{60};
constexpr std::chrono::seconds kHelloSpan{60};
// How long a client waits for a place: may_begin() saw one, which others may have taken since.
constexpr std::chrono::seconds kPlaceSpan{10};
constexpr std::chrono::milliseconds kPlacePoll{200};
// Octets charged as waste to the network of a client that floods us with TLS messages.
constexpr std::uint64_t kFloodCharge = 1ULL << 20;

}  // namespace

base::Task<> Session::begin_tls(const smtp::Reply& go_on) {
  if (client_.naming_is_over()) {
    // TLS forgets what was named, so that a client that speaks through its proxy would be the
    // gateway.
    co_return turn_out("starttls",
                       {421, {4, 7, 0}, "Begin TLS on a new connection, before you name a client"});
  }
  if (!parts_.handshakes.may_begin(client_.of_session().counted(), limits())) {
    // RFC 3207 §4: a client that does not need TLS goes on in the clear.
    const smtp::Action unavailable = machine_.on_tls_unavailable();
    log_refusal("starttls", *smtp::reply_in(unavailable));
    conclude(unavailable);
    co_return;
  }
  connection_.say(go_on);
  const auto before = connection_.after(limits().command).within(connection_.session_end());
  const bool sent = co_await connection_.flush(before);
  // Nothing sent in the clear may be taken as sent in TLS. The machine refuses pipelining after
  // STARTTLS; this checks it again.
  if (!sent || !connection_.buffer().empty()) {
    connection_.end();
    co_return;
  }
  const bool begun = co_await connection_.await_hello(*parts_.tls, connection_.after(kHelloSpan));
  if (!begun) co_return end_tls({454, {4, 7, 0}, "No TLS handshake"});
  auto place = co_await handshake_place();
  if (!place) co_return end_tls({454, {4, 7, 0}, "Too many TLS handshakes, and no place"});
  place->may_yield({.executor = connection_.executor(),
                    .yield = [this] { connection_.end_transfer_of(std::chrono::seconds(0)); }});
  place->begins_to_wait();
  const auto secured = co_await connection_.secure(*parts_.tls, connection_.after(kHandshakeSpan));
  if (!secured) co_return end_tls({454, {4, 7, 0}, ports::describe(secured.error())});
  const bool was_named = client_.of_session().is_claimed();
  client_.drop_names();
  const mail::Client secured_client = connection_.client();
  client_.note_tls(secured_client.tls_version, secured_client.tls_cipher);
  machine_ = smtp::ServerMachine(options());
  follow_machine();
  // The place is the peer's again.
  auto full = was_named ? change_place() : std::nullopt;
  if (full) conclude(machine_.shut_down(std::move(*full)));
}

base::Task<std::optional<FairShare::Holding>> Session::handshake_place() {
  const base::Deadline deadline = connection_.after(kPlaceSpan).within(connection_.session_end());
  const base::Origin counted = client_.of_session().counted();
  auto place = parts_.handshakes.enter(counted, limits());
  while (!place && !deadline.passed(now())) {
    co_await parts_.clock.sleep_until(now() + kPlacePoll);
    auto again = parts_.handshakes.enter(counted, limits());
    if (again) co_return again;
  }
  co_return place;
}

/// The client expects TLS now, so no reply in the clear is sent.
void Session::end_tls(const smtp::Reply& why) {
  log_refusal("starttls", why);
  connection_.end();
}

void Session::note_flood() {
  log_refusal("tls", {421, {4, 7, 0}, ports::describe(ports::IoError::TlsFlood)});
  parts_.waste.charge(client_.of_session().counted(), kFloodCharge, limits().wasted, now());
}

}  // namespace relay::inbound
