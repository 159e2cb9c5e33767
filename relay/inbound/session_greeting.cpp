// The part of Session that identifies and admits the client: at the start, and when a gateway names
// another one.
#include <utility>

#include "relay/inbound/events.hpp"
#include "relay/inbound/proxy/reception.hpp"
#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

// For a client that gets no service: time to say QUIT.
constexpr std::chrono::seconds kTurnedAwaySpan{20};
// For octets that have arrived already.
constexpr std::chrono::seconds kGlance{1};

}  // namespace

base::Task<std::optional<smtp::Reply>> Session::hear_balancer() {
  const Client& balancer = client_.peer();
  if (!base::contains(listener_.proxies, balancer.address)) co_return std::nullopt;
  const auto header = co_await proxy::receive_header(connection_);
  if (!header) co_return header.error();
  if (header->source) client_.take_proxy(*header->source, policy_->arrival);
  machine_ = smtp::ServerMachine(options());
  co_return change_place();
}

base::Task<std::optional<smtp::Reply>> Session::objection_to_haste() {
  if (connection_.over()) co_return std::nullopt;
  if (connection_.buffer().empty() && !connection_.has_unread()) co_return std::nullopt;
  if (connection_.buffer().empty()) {
    const bool more = co_await connection_.read_more(connection_.after(kGlance));
    if (!more) co_return std::nullopt;
  }
  auto header = proxy::objection_to_header(connection_.buffer().pending(), client().address);
  if (header) co_return header;
  co_return smtp::Reply(421, {4, 7, 0}, "Wait for the banner");
}

base::Task<> Session::greet() {
  auto refusal = co_await hear_balancer();
  if (refusal) {
    open_door(std::move(refusal));
    co_return;
  }
  const Client& client = client_.of_session();
  if (!client.is_exempt && !connection_.over()) {
    refusal = co_await parts_.abuse.objection_to_client(client.named.address, DnsListStage::Connect,
                                                        policy_->abuse, connection_.session_end());
  }
  // A client must wait for the banner.
  auto hasty = co_await objection_to_haste();
  if (hasty) refusal = std::move(hasty);
  if (connection_.over()) co_return;
  open_door(std::move(refusal));
}

void Session::open_door(std::optional<smtp::Reply> refusal) {
  place_.spare(client_.of_session().is_exempt || is_gateway());
  if (!refusal) {
    connection_.say(machine_.banner());
    return;
  }
  if (refusal->code() == 421) return turn_out("connect", std::move(*refusal));
  log_refusal("connect", *refusal);
  connection_.hasten(kTurnedAwaySpan);
  conclude(machine_.turn_away(std::move(*refusal)));
}

bool Session::may_name() const { return !client_.naming_is_over() && is_gateway(); }

bool Session::is_gateway() const {
  return parts_.policy.get()->arrival.gateway_at(client_.peer().address) != nullptr;
}

void Session::turn_out(std::string_view stage, smtp::Reply reply) {
  log_refusal(stage, reply);
  conclude(machine_.shut_down(std::move(reply)));
}

std::optional<smtp::Reply> Session::change_place() {
  const auto changed = parts_.entrance.change(place_, client_.of_session(), limits());
  if (!changed) return smtp::Reply(421, {4, 7, 0}, describe(changed.error()));
  return std::nullopt;
}

/// XCLIENT restarts the session with the client it names; XFORWARD names one for a transaction. The
/// newest policy says who is a gateway.
base::Task<> Session::name_client(smtp::NameClient said) {
  const auto newest = parts_.policy.get();
  const GatewayPolicy* const gateway = newest->arrival.gateway_at(client_.peer().address);
  if (gateway != nullptr && client_.naming_is_over()) {
    // Not a 5xx: a gateway may go on after it, with mail of the next client in this one's name.
    co_return turn_out("command", {421, {4, 7, 0}, "Name another client on a new connection"});
  }
  std::optional<smtp::Reply> refusal;
  if (gateway == nullptr) {
    refusal.emplace(550, mail::EnhancedStatus{5, 7, 0}, "No [[gateway]] names your address");
  } else if (auto taken = client_.take(said.by, said.attributes); !taken) {
    refusal.emplace(501, mail::EnhancedStatus{5, 5, 4}, taken.error());
  }
  if (refusal || said.by == smtp::NamedBy::Xforward) {
    named_at_ = machine_.boundaries();
    if (refusal) log_refusal("command", *refusal);
    conclude(machine_.on_client_named(std::move(refusal)));
    co_return;
  }
  machine_ = smtp::ServerMachine(options());
  auto unwelcome = change_place();
  const Client& client = client_.of_session();
  if (!unwelcome && !client.is_exempt && !(client.is_claimed() && gateway->has_accepted())) {
    unwelcome = co_await parts_.abuse.objection_to_client(
        client.named.address, DnsListStage::Connect, policy_->abuse, connection_.session_end());
  }
  open_door(std::move(unwelcome));
}

}  // namespace relay::inbound
