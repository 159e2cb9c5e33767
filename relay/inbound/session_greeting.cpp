// The part of Session in which it begins anew: at the banner, when XCLIENT names another client,
// and inside TLS.
#include <utility>

#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

// For a client that gets no service: time to say QUIT.
constexpr std::chrono::seconds kTurnedAwaySpan{20};
// Octets charged as waste to the network of a client that floods us with TLS messages.
constexpr std::uint64_t kFloodCharge = 1ULL << 20;

}  // namespace

base::Task<> Session::greet() {
  std::optional<smtp::Reply> refusal;
  if (admission_.is_balancer(listener_)) {
    refusal = co_await admission_.hear_balancer(connection_);
    machine_ = smtp::ServerMachine(options());
  }
  if (!refusal) {
    refusal = co_await admission_.objection_to_arrival(connection_);
    if (connection_.over()) co_return;
  }
  open_door(std::move(refusal));
}

void Session::open_door(std::optional<smtp::Reply> refusal) {
  admission_.settle();
  if (!refusal) {
    connection_.say(machine_.banner());
    return;
  }
  if (refusal->code() == 421) return turn_out("connect", std::move(*refusal));
  log_refusal("connect", *refusal);
  connection_.hasten(kTurnedAwaySpan);
  conclude(machine_.turn_away(std::move(*refusal)));
}

void Session::turn_out(std::string_view stage, smtp::Reply reply) {
  log_refusal(stage, reply);
  conclude(machine_.shut_down(std::move(reply)));
}

/// XCLIENT restarts the session with the client it names; XFORWARD names one for a transaction.
base::Task<> Session::name_client(smtp::NameClient said) {
  auto named = admission_.take_name(said);
  if (!named && named.error().code() == 421) {
    co_return turn_out("command", std::move(named.error()));
  }
  if (!named || said.by == smtp::NamedBy::Xforward) {
    named_at_ = machine_.boundaries();
    if (!named) log_refusal("command", named.error());
    conclude(
        machine_.on_client_named(named ? std::nullopt : std::optional(std::move(named.error()))));
    co_return;
  }
  machine_ = smtp::ServerMachine(options());
  auto unwelcome = co_await admission_.objection_to_named(connection_);
  open_door(std::move(unwelcome));
}

base::Task<> Session::begin_tls(const smtp::Reply& go_on) {
  SessionClient& client = admission_.client();
  if (client.naming_is_over()) {
    // TLS forgets what was named, so that a client that speaks through its proxy would be the
    // gateway.
    co_return turn_out("starttls",
                       {421, {4, 7, 0}, "Begin TLS on a new connection, before you name a client"});
  }
  const base::Origin counted = client.of_session().counted();
  if (!parts_.tls.may_begin(counted, limits())) {
    // RFC 3207 §4: a client that does not need TLS goes on in the clear.
    const smtp::Action unavailable = machine_.on_tls_unavailable();
    log_refusal("starttls", *smtp::reply_in(unavailable));
    conclude(unavailable);
    co_return;
  }
  const auto failure = co_await parts_.tls.secure(connection_, go_on, counted, limits());
  if (failure) log_refusal("starttls", *failure);
  if (connection_.over()) co_return;
  auto full = admission_.forget_names();
  const mail::Client secured = connection_.client();
  client.note_tls(secured.tls_version, secured.tls_cipher);
  machine_ = smtp::ServerMachine(options());
  follow_machine();
  if (full) conclude(machine_.shut_down(std::move(*full)));
}

void Session::note_flood() {
  log_refusal("tls", {421, {4, 7, 0}, ports::describe(ports::IoError::TlsFlood)});
  parts_.waste.charge(admission_.client().of_session().counted(), kFloodCharge, limits().wasted,
                      now());
}

}  // namespace relay::inbound
