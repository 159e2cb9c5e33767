#include "relay/inbound/content_receiver.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "relay/base/ulid.hpp"
#include "relay/inbound/received_client.hpp"
#include "relay/inbound/verification.hpp"

namespace relay::inbound {

namespace {

constexpr std::uint64_t kChargedAtOnce = 1ULL << 20;  // octets

smtp::Reply stalled() {
  return {421, {4, 3, 1}, "Too much mail at once, and yours does not come on, try again later"};
}

}  // namespace

FairShare::Holding ContentReceiver::memory_for(ClientConnection& connection, const Client& client,
                                               const Limits& limits) const {
  auto memory = parts_.memory.open(
      client.counted(),
      {.total = limits.memory, .per_network = limits.memory_per_network, .leaves_room = true});
  // A client of a network that holds its part must send as much as it holds in that time.
  memory.may_yield({.executor = connection.executor(),
                    .yield = [&connection] { connection.put_off(stalled()); },
                    .progress = content_in(FairShare::kPatience, limits),
                    .progress_of_unit = 1});
  return memory;
}

class ContentReceiver::Waste {
 public:
  Waste(const Parts& parts, const Transaction& transaction, const Limits& limits)
      : parts_(parts), transaction_(transaction), limits_(limits) {}

  void add(std::uint64_t octets) { received_ += octets; }

  std::uint64_t received() const { return received_; }

  /// All octets from here on are wasted. The fault is the client's (charged to it) or ours; a fault
  /// of the client that comes later replaces ours.
  void begin(bool clients_fault) {
    if (begun_at_ && (clients_fault_ || !clients_fault)) return;
    begun_at_ = received_;
    clients_fault_ = clients_fault;
    if (clients_fault_) charge();
  }

  /// The client has sent as much refused content as it may.
  bool is_enough() {
    if (!begun_at_) return false;
    if (clients_fault_ && received_ - charged_ >= kChargedAtOnce) charge();
    const base::SteadyTime now = parts_.clock.steady();
    return received_ - *begun_at_ > limits_.max_size ||
           (clients_fault_ && parts_.waste.exhausted(counted(), limits_.wasted, now));
  }

  /// Charges all octets received and not charged before.
  void charge() {
    parts_.waste.charge(counted(), received_ - charged_, limits_.wasted, parts_.clock.steady());
    charged_ = received_;
  }

 private:
  // Asked each time: the header may name the client while content comes in.
  base::Origin counted() const { return transaction_.client().counted(); }

  const Parts& parts_;
  const Transaction& transaction_;
  const Limits& limits_;
  std::uint64_t received_ = 0;
  std::uint64_t charged_ = 0;
  std::optional<std::uint64_t> begun_at_;
  bool clients_fault_ = false;
};

base::Task<ContentReceiver::Outcome> ContentReceiver::receive(ClientConnection& connection,
                                                              OpenMessage message,
                                                              const Limits& limits) const {
  const mail::MessageId id = base::Ulid::generate(parts_.clock.wall());
  Intake& intake = message.transaction.begin_content(
      parts_.queue, memory_for(connection, message.client(), limits), id,
      [this, &message](const mail::Header& header) { return take_header(message, header); });
  smtp::DataReader reader({.content = limits.max_size, .line = limits.max_line});
  Waste waste(parts_, message.transaction, limits);
  const bool complete = co_await read(connection, limits, reader, intake, waste);
  if (!complete) {
    waste.charge();
    if (connection.over()) co_return ConnectionOver{};
    co_return ContentCut{*content_objection(reader.fault(), intake)};
  }
  auto accepted = co_await accept_message(
      parts_.acceptance, {message.envelope, message.transaction, intake,
                          message.transaction.check(), reader.fault(), message.session_end});
  if (accepted.reply.reply().code() >= 500) waste.charge();
  // A client that sends the same message again and again gets no attempts back for it.
  if (!accepted.is_resent) settle_attempts(message.transaction, accepted.reply.reply());
  co_return accepted;
}

void ContentReceiver::settle_attempts(const Transaction& transaction,
                                      const smtp::Reply& answer) const {
  if (!answer.positive() && !parts_.troubles.behind(answer, parts_.clock.steady())) return;
  const Client& asker = transaction.asker();
  if (asker.is_exempt) return;  // its attempts were not counted
  parts_.acceptance.abuse.forgive_attempts(asker.origin, transaction.forgivable_attempts(),
                                           transaction.policy().abuse);
}

auth::MessageCheck* ContentReceiver::take_header(const OpenMessage& message,
                                                 const mail::Header& header) const {
  Transaction& transaction = message.transaction;
  if (transaction.awaits_client()) {
    auto found = client_in_received(header, *transaction.gateway(), transaction.client());
    if (found) transaction.set_client(std::move(*found));
    begin_check(parts_.resolver, parts_.clock, message);
  }
  auth::MessageCheck* const check = transaction.check();
  const GatewayPolicy* const gateway = transaction.gateway();
  if (check != nullptr && gateway != nullptr && !gateway->results.empty()) {
    check->believe(auth::results::believed_results(header, fields_of_gateway(header, *gateway),
                                                   gateway->results));
  }
  return check;
}

base::Task<bool> ContentReceiver::read(ClientConnection& connection, const Limits& limits,
                                       smtp::DataReader& reader, Intake& intake,
                                       Waste& waste) const {
  const base::SteadyTime began = parts_.clock.steady();
  const std::uint32_t rate = std::max<std::uint32_t>(limits.min_content_rate, 1);
  ReadBuffer& buffer = connection.buffer();
  const ReadBuffer::Content comes(buffer);
  while (!reader.finished()) {
    if (waste.is_enough()) co_return false;
    if (buffer.empty()) {
      // A client must not hold a session by dripping: the deadline grows only with octets received.
      const std::chrono::seconds earned(waste.received() / rate);
      const base::Deadline pace{began + limits.content + earned};
      const base::Deadline silence = connection.read_deadline(limits.content);
      intake.begins_to_wait();
      const bool more = co_await connection.read_more(silence.within(pace));
      intake.has_come(buffer.pending().size());
      connection.takes_content(buffer.pending().size());
      if (!more) co_return false;
    }
    const std::size_t used =
        reader.feed(buffer.pending(), [&intake](std::string_view span) { intake.take(span); });
    buffer.consume(used);
    waste.add(used);
    if (intake.chunk_ready()) co_await intake.store_chunk();
    if (const auto wrong = content_objection(reader.fault(), intake)) {
      waste.begin(wrong->code() >= 500);
    }
  }
  co_return true;
}

}  // namespace relay::inbound
