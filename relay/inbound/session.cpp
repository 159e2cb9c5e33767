#include "relay/inbound/session.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/events.hpp"

namespace relay::inbound {

namespace {

constexpr std::chrono::seconds kGoodbyeSpan{5};
constexpr std::chrono::seconds kHandshakeSpan{60};

std::string_view stage_of(std::string_view line) {
  switch (smtp::verb_of(line)) {
    case smtp::Verb::Helo:
    case smtp::Verb::Ehlo:
      return "helo";
    case smtp::Verb::Mail:
      return "mail";
    case smtp::Verb::Rcpt:
      return "rcpt";
    case smtp::Verb::Data:
      return "data";
    default:
      return "command";
  }
}

const smtp::Reply* reply_in(const smtp::Action& action) {
  return std::visit(
      [](const auto& a) -> const smtp::Reply* {
        if constexpr (requires { a.reply; }) return &a.reply;
        return nullptr;
      },
      action);
}

mail::Client client_of(const ports::Stream& stream) {
  mail::Client client;
  client.address = plain_address(stream.peer().address).to_string();
  client.port = stream.peer().port;
  if (const auto tls = stream.tls()) {
    client.tls_version = tls->version;
    client.tls_cipher = tls->cipher;
  }
  return client;
}

}  // namespace

Session::Session(Services& services, const Gate& gate, base::Executor executor,
                 std::unique_ptr<ports::Stream> stream)
    : services_(services),
      gate_(gate),
      executor_(std::move(executor)),
      stream_(std::make_shared<std::unique_ptr<ports::Stream>>(std::move(stream))),
      policy_(services.policy.get()),
      session_end_(after(limits().session)),
      client_(client_of(**stream_)),
      network_(forward::client_prefix(client_.address)),
      machine_(options()) {}

smtp::ServerOptions Session::options() const {
  smtp::ServerOptions options;
  options.hostname = policy_->hostname;
  options.max_size = limits().max_size;
  options.max_recipients = limits().max_recipients;
  options.max_errors = limits().max_errors;
  options.max_junk = limits().max_junk;
  options.offer_starttls = policy_->offer_starttls && services_.tls != nullptr;
  options.tls_active = (*stream_)->tls().has_value();
  return options;
}

base::Deadline Session::after(std::chrono::seconds span) const {
  return base::Deadline{services_.clock.steady() + span};
}

base::Deadline Session::read_deadline(std::chrono::seconds normal) const {
  const bool hurried = gate_.overloaded(limits());
  return after(hurried ? std::min(normal, limits().command_overloaded) : normal);
}

base::Task<> Session::run() {
  co_await greet();
  command_end_ = read_deadline(limits().command);
  while (!over_) co_await next_step();

  transaction_.reset();
  if (unheard_) services_.resends.remember(unheard_->first, unheard_->second, now());
  if (!*stream_) co_return;
  if (!dismissed_) co_await flush(after(kGoodbyeSpan));
  (*stream_)->close();
}

base::Task<> Session::next_step() {
  const ReadBuffer::Line line = buffer_.front_line();
  if (line.state == LineState::Incomplete) {
    co_await await_command();
    co_return;
  }
  smtp::Action action = on_front_line(line);
  co_await carry_out(std::move(action));
  command_end_ = read_deadline(limits().command);
}

smtp::Action Session::on_front_line(const ReadBuffer::Line& line) {
  if (line.state == LineState::TooLong) {
    smtp::Action action = machine_.on_overlong_line();
    log_refusal("command", *reply_in(action));
    return action;
  }
  const bool must_wait = smtp::must_end_group(smtp::verb_of(line.text));
  const bool more_buffered =
      buffer_.pending().size() > line.octets || (must_wait && (*stream_)->has_unread());
  smtp::Action action = line.state == LineState::Complete
                            ? machine_.on_line(line.text, more_buffered)
                            : machine_.on_bare_line_end();
  const smtp::Reply* reply = reply_in(action);
  if (reply != nullptr && !reply->positive()) log_refusal(stage_of(line.text), *reply);
  buffer_.consume(line.octets);
  return action;
}

std::optional<smtp::Reply> Session::reason_to_leave() const {
  if (machine_.transaction() != 0) return std::nullopt;
  if (gate_.draining()) return smtp::Reply(421, {4, 3, 2}, "Shutting down, try again later");
  if (services_.queue.poisoned()) return reply_for(ports::SpoolError::Poisoned);
  return std::nullopt;
}

base::Task<> Session::await_command() {
  if (buffer_.empty()) {
    if (auto reply = reason_to_leave()) {
      conclude(machine_.shut_down(std::move(*reply)));
      co_return;
    }
  }
  // First the replies, so that hurry() never meets a write under way.
  const bool sent = co_await flush(command_end_.within(session_end_));
  if (!sent) co_return;
  awaiting_command_ = true;
  const bool more = co_await read_more(command_end_);
  awaiting_command_ = false;
  if (!more || std::exchange(heard_anything_, true)) co_return;
  // A TLS or HTTP client may never send a line end: look at its first octets.
  if (smtp::looks_like_other_protocol(buffer_.pending())) {
    conclude(machine_.shut_down(smtp::Reply(421, {4, 7, 0}, "This is an SMTP server")));
  }
}

base::Task<> Session::carry_out(smtp::Action action) {
  follow_machine();
  if (auto* check = std::get_if<smtp::CheckRecipient>(&action)) {
    co_await check_recipient(std::move(check->forward_path));
  } else if (auto* content = std::get_if<smtp::ReadContent>(&action)) {
    content->reply.append_to(replies_);
    co_await take_content();
  } else if (auto* tls = std::get_if<smtp::BeginTls>(&action)) {
    co_await begin_tls(tls->reply);
  } else {
    conclude(action);
  }
}

/// Actions after which nothing is awaited: a reply, perhaps the last.
void Session::conclude(const smtp::Action& action) {
  follow_machine();
  if (const smtp::Reply* reply = reply_in(action)) reply->append_to(replies_);
  if (std::holds_alternative<smtp::Close>(action)) over_ = true;
}

/// The one place where a transaction begins and ends on this side.
void Session::follow_machine() {
  if (client_.helo != machine_.helo()) client_.helo = machine_.helo();
  client_.esmtp = machine_.esmtp();
  const std::uint32_t number = machine_.transaction();
  if (transaction_ && transaction_->number() == number) return;
  transaction_.reset();
  if (number != 0) transaction_.emplace(number, services_.policy.get());
}

base::Task<bool> Session::flush(base::Deadline deadline) {
  if (replies_.empty()) co_return true;
  const std::string wire = std::exchange(replies_, {});
  const auto sent = co_await (*stream_)->write(wire, deadline);
  if (!sent) over_ = true;
  co_return sent.has_value();
}

base::Task<bool> Session::read_more(base::Deadline deadline) {
  deadline = deadline.within(session_end_);
  const bool sent = co_await flush(deadline);
  if (!sent || over_) co_return false;
  const auto got = co_await read_in_pieces(deadline);
  if (over_) co_return false;  // dismissed meanwhile
  const bool late = deadline.passed(services_.clock.steady());
  if (got && !late) {
    unheard_.reset();
    buffer_.filled(*got);
    co_return true;
  }
  over_ = true;
  if (late || got.error() == ports::IoError::Timeout) {
    const smtp::Reply reply(421, {4, 4, 2}, "Timeout, closing the connection");
    log_refusal("command", reply);
    reply.append_to(replies_);
  }
  co_return false;
}

/// Waits in pieces: when the house fills up, those must hurry, too, who began to wait before.
base::Task<std::expected<std::size_t, ports::IoError>> Session::read_in_pieces(
    base::Deadline deadline) {
  while (true) {
    const base::Deadline piece = after(limits().command_overloaded).within(deadline);
    const auto got = co_await (*stream_)->read_some(buffer_.room(), piece);
    const bool timeout = !got && got.error() == ports::IoError::Timeout && piece.passed(now());
    if (over_ || !timeout || deadline.passed(now()) || gate_.overloaded(limits())) co_return got;
  }
}

base::Task<> Session::begin_tls(const smtp::Reply& go_on) {
  const auto place = services_.handshakes.enter(limits().handshakes);
  if (!place) {
    const smtp::Reply reply(421, {4, 3, 2}, "Too many TLS handshakes, try again later");
    log_refusal("starttls", reply);
    conclude(machine_.shut_down(reply));
    co_return;
  }
  go_on.append_to(replies_);
  const bool sent = co_await flush(after(limits().command).within(session_end_));
  // Nothing said in the clear may be heard inside TLS. The machine has refused it already;
  // this is the proof.
  if (!sent || !buffer_.empty()) {
    over_ = true;
    co_return;
  }
  auto secured = co_await services_.tls->accept(std::move(*stream_),
                                                after(kHandshakeSpan).within(session_end_));
  if (!secured) {
    log_refusal("starttls", smtp::Reply(454, {4, 7, 0}, ports::describe(secured.error())));
    over_ = true;
    co_return;
  }
  *stream_ = std::move(*secured);
  client_ = client_of(**stream_);
  machine_ = smtp::ServerMachine(options());
  follow_machine();
}

void Session::abandon() noexcept {
  try {
    if (unheard_) services_.resends.remember(unheard_->first, unheard_->second, now());
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): then it is sent twice
  }
  if (*stream_ && !dismissed_) {
    (*stream_)->last_words("421 4.3.0 Out of memory, try again later\r\n");
  }
}

void Session::hurry() {
  if (!awaiting_command_ || over_ || machine_.transaction() != 0 || !buffer_.empty()) return;
  const smtp::Reply reply(421, {4, 3, 2}, "Shutting down, try again later");
  over_ = dismissed_ = true;
  base::spawn_supervised(executor_, "smtp goodbye",
                         say_goodbye(stream_, reply.wire(), after(kGoodbyeSpan)));
}

base::Task<> Session::say_goodbye(SharedStream stream, std::string wire, base::Deadline deadline) {
  const auto sent = co_await (*stream)->write(wire, deadline);
  static_cast<void>(sent);  // the connection ends either way
  (*stream)->close();       // wakes the session, which waits for a command
}

void Session::log_refusal(std::string_view stage, const smtp::Reply& reply,
                          std::string_view forward_path) {
  const mail::Envelope* envelope = machine_.transaction() != 0 ? &machine_.envelope() : nullptr;
  services_.refusals.write(
      network(),
      rejected_event({stage, client_, envelope, forward_path}, reply, services_.clock.wall()),
      now());
}

}  // namespace relay::inbound
