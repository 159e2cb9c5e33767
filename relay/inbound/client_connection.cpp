#include "relay/inbound/client_connection.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/network.hpp"

namespace relay::inbound {

namespace {

constexpr std::chrono::seconds kGoodbyeSpan{5};
constexpr std::chrono::seconds kLingerSpan{5};
constexpr std::size_t kLingerOctets = 4UL << 20;
// How long, and how many times, has_lost_a_reply() waits for an acknowledgement.
constexpr std::chrono::milliseconds kLateAcknowledgement{100};
constexpr int kLateAcknowledgements = 20;

}  // namespace

smtp::Reply shutting_down() { return {421, {4, 3, 2}, "Shutting down, try again later"}; }

ClientConnection::ClientConnection(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                                   ports::Clock& clock, const Gate& gate, Gate::Ticket& place,
                                   const Limits& limits)
    : stream_(std::make_shared<std::unique_ptr<ports::Stream>>(std::move(stream))),
      address_(base::plain_address((*stream_)->peer().address)),
      executor_(std::move(executor)),
      clock_(clock),
      gate_(gate),
      place_(place),
      limits_(limits),
      session_end_(after(limits.session)) {}

class ClientConnection::Waiting {
 public:
  explicit Waiting(ClientConnection& connection) : place_(connection.place_) {
    place_.begins_to_wait();
  }

  ~Waiting() { place_.ends_wait(); }

  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Gate::Ticket& place_;
};

class ClientConnection::Transfer {
 public:
  explicit Transfer(ClientConnection& connection) : connection_(connection), waiting_(connection) {
    connection_.transfer_began_ = connection_.clock_.steady();
  }

  ~Transfer() { connection_.transfer_began_.reset(); }

  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  base::Deadline until(base::Deadline deadline) const {
    return base::Deadline{.at = deadline.at, .cut = &connection_.cut_};
  }

 private:
  ClientConnection& connection_;
  const Waiting waiting_;
};

base::Deadline ClientConnection::after(std::chrono::seconds span) const {
  return base::Deadline{clock_.steady() + span};
}

base::Deadline ClientConnection::read_deadline(std::chrono::seconds normal) const {
  return after(must_hurry() ? std::min(normal, limits_.command_overloaded) : normal);
}

base::Deadline ClientConnection::piece_of(base::Deadline whole) const {
  return after(limits_.command_overloaded).within(whole);
}

bool ClientConnection::goes_on(ports::IoError error, base::Deadline piece, base::Deadline whole,
                               base::SteadyTime now) const {
  const bool only_piece = error == ports::IoError::Timeout && piece.passed(now);
  return only_piece && !whole.passed(now) && !must_hurry();
}

mail::Client ClientConnection::client() const {
  mail::Client client;
  client.address = base::text_of(address_);
  client.port = (*stream_)->peer().port;
  if (const auto tls = (*stream_)->tls()) {
    client.tls_version = tls->version;
    client.tls_cipher = tls->cipher;
  }
  return client;
}

bool ClientConnection::flush_now() {
  if (!replies_.empty()) replies_.erase(0, (*stream_)->write_now(replies_));
  return replies_.empty();
}

base::Task<bool> ClientConnection::flush(base::Deadline deadline) {
  if (replies_.empty()) co_return true;
  const std::string wire = std::exchange(replies_, {});
  const Transfer transfer(*this);
  const auto sent = co_await (*stream_)->write(wire, transfer.until(deadline));
  if (!sent) {
    over_ = reset_ = true;
    flooded_ = sent.error() == ports::IoError::TlsFlood;
  }
  co_return sent.has_value();
}

base::Task<bool> ClientConnection::read_more(base::Deadline deadline) {
  deadline = deadline.within(session_end_);
  if (given_up_) {
    say(*slowness_);
    over_ = true;
  }
  // Write replies first: then dismiss() never meets a write under way.
  const bool sent = flush_now() || co_await flush(deadline);
  if (!sent || over_) co_return false;
  std::expected<std::size_t, ports::IoError> got;
  base::SteadyTime now;
  base::Deadline piece;
  waiting_ = true;
  {
    const Waiting waiting(*this);
    do {
      piece = piece_of(deadline);
      got = co_await (*stream_)->read_some(buffer_.room(), piece);
      now = clock_.steady();
    } while (!got && !over_ && goes_on(got.error(), piece, deadline, now));
  }
  waiting_ = false;
  if (over_) co_return false;  // dismissed while reading
  const bool late = deadline.passed(now);
  if (got && !late) {
    ++reads_;
    buffer_.filled(*got);
    co_return true;
  }
  over_ = true;
  reset_ = !got && got.error() == ports::IoError::Reset;
  flooded_ = !got && got.error() == ports::IoError::TlsFlood;
  if (late || got.error() == ports::IoError::Timeout) {
    slowness_ = gate_.draining() ? shutting_down()
                                 : smtp::Reply(421, {4, 4, 2}, "Timeout, closing the connection");
    say(*slowness_);
  }
  co_return false;
}

base::Task<bool> ClientConnection::await_hello(ports::TlsAcceptor& tls, base::Deadline deadline) {
  const Transfer transfer(*this);
  deadline = transfer.until(deadline.within(session_end_));
  while (!given_up_) {
    const base::Deadline piece = piece_of(deadline);
    const auto here = co_await tls.await_hello(**stream_, piece);
    if (here) co_return true;
    if (!goes_on(here.error(), piece, deadline, clock_.steady())) break;
  }
  over_ = true;
  co_return false;
}

base::Task<std::expected<void, ports::IoError>> ClientConnection::secure(ports::TlsAcceptor& tls,
                                                                         base::Deadline deadline) {
  const Transfer transfer(*this);
  if (given_up_) cut_.make();
  auto secured =
      co_await tls.accept(std::move(*stream_), transfer.until(deadline.within(session_end_)));
  if (!secured) {
    over_ = true;
    co_return std::unexpected(secured.error());
  }
  *stream_ = std::move(*secured);
  const std::expected<void, ports::IoError> ok;
  co_return ok;
}

base::Task<> ClientConnection::linger() {
  const base::Deadline deadline = after(kLingerSpan);
  const bool sent = co_await flush(deadline);
  over_ = true;
  std::size_t octets = 0;
  while (sent && octets < kLingerOctets && !deadline.passed(clock_.steady())) {
    buffer_.consume(buffer_.pending().size());
    const auto got = co_await (*stream_)->read_some(buffer_.room(), deadline);
    if (!got) co_return;
    octets += *got;
  }
}

base::Task<bool> ClientConnection::has_lost_a_reply() {
  if (reset_ || !*stream_) co_return reset_;
  for (int i = 0; i < kLateAcknowledgements && (*stream_)->unacknowledged() > 0; ++i) {
    co_await clock_.sleep_until(clock_.steady() + kLateAcknowledgement);
  }
  co_return (*stream_)->unacknowledged() > 0;
}

base::Task<> ClientConnection::finish() {
  if (!*stream_) co_return;
  if (!dismissed_ && !flush_now()) co_await flush(after(kGoodbyeSpan));
  (*stream_)->close();
}

void ClientConnection::dismiss(const smtp::Reply& reply) {
  over_ = dismissed_ = true;
  base::spawn_supervised(executor_, "smtp goodbye",
                         say_goodbye(stream_, reply.wire(), after(kGoodbyeSpan)));
}

void ClientConnection::put_off(smtp::Reply reply) {
  if (!waiting_ || over_) return;
  slowness_ = std::move(reply);
  dismiss(*slowness_);
}

void ClientConnection::give_up(smtp::Reply reply) {
  if (over_) return;
  if (waiting_) return put_off(std::move(reply));
  slowness_ = std::move(reply);
  given_up_ = true;
  if (transfer_began_) cut_.make();
}

void ClientConnection::end_transfer_of(std::chrono::seconds span) {
  if (transfer_began_ && clock_.steady() - *transfer_began_ >= span) cut_.make();
}

base::Task<> ClientConnection::say_goodbye(SharedStream stream, std::string wire,
                                           base::Deadline deadline) {
  const auto sent = co_await (*stream)->write(wire, deadline);
  static_cast<void>(sent);  // the connection ends either way
  (*stream)->close();       // wakes the session, which waits in a read
}

void ClientConnection::last_words(std::string_view wire) noexcept {
  if (*stream_ && !dismissed_) (*stream_)->last_words(wire);
}

}  // namespace relay::inbound
