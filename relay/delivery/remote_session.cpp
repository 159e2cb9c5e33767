#include "relay/delivery/remote_session.hpp"

#include <array>
#include <utility>

#include "relay/delivery/address_policy.hpp"
#include "relay/delivery/outcome_map.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "relay/smtp/dot_stuffer.hpp"

namespace relay::delivery {

using mail::Stage;
using ports::SpoolError;
using Step = smtp::ClientMachine::Step;

namespace {

constexpr std::string_view kCutOff = "cut off: others waited";
constexpr std::size_t kMostBesideDot = 16'384;  // octets written together with the dot, at most

smtp::TlsUse use_of(mail::TlsLevel level) {
  if (level == mail::TlsLevel::Never) return smtp::TlsUse::Never;
  return level == mail::TlsLevel::May ? smtp::TlsUse::IfOffered : smtp::TlsUse::Required;
}

}  // namespace

base::Deadline RemoteSession::limit(std::chrono::seconds span) {
  return {.at = clock_.steady() + span, .cut = &place_.cut};
}

base::Deadline RemoteSession::limit(Stage stage) {
  const Timeouts& timeouts = policy_->timeouts;
  switch (stage) {
    case Stage::MailFrom:
      return limit(timeouts.mail);
    case Stage::RcptTo:
      return limit(timeouts.rcpt);
    case Stage::Data:
      return limit(timeouts.data);
    case Stage::EndOfData: {
      // Do not cut this wait if the server may have taken the message (guarantee "The wait for the
      // dot is never cut short"). It cannot have taken it if it said 354 after refusing all
      // recipients and only the dot was sent.
      base::Deadline end = limit(timeouts.end_of_data);
      if (place_.is_past_dot) end.cut = nullptr;
      return end;
    }
    default:
      return limit(timeouts.greeting);
  }
}

void RemoteSession::drop(mail::EnhancedStatus status, std::string why, bool end_of_data_sent) {
  machine_->lost(status, std::move(why), end_of_data_sent);
  if (stream_) stream_->close();
  stream_.reset();
}

void RemoteSession::drop(ports::IoError error, bool end_of_data_sent) {
  timed_out_ = error == ports::IoError::Timeout;
  drop(status_of(error), why(error), end_of_data_sent);
}

std::string RemoteSession::why(ports::IoError error) const {
  const bool cut = error == ports::IoError::Timeout && place_.cut.made();
  return std::string(cut ? kCutOff : describe(error));
}

/// False: the connection broke; the machine was told.
base::Task<bool> RemoteSession::write(const std::string& octets, base::Deadline deadline,
                                      bool with_dot) {
  const std::size_t at_once = stream_->write_now(octets);
  if (at_once == octets.size()) co_return true;
  std::expected<void, ports::IoError> written;
  {
    const Place::Wait wait(place_, clock_);
    written = co_await stream_->write(std::string_view(octets).substr(at_once), deadline);
  }
  if (!written) drop(written.error(), with_dot);
  co_return written.has_value();
}

base::Task<> RemoteSession::converse(const MayGoOn& may_go_on) {
  std::array<char, 4096> buffer;
  // One deadline for a whole reply, from the command or the previous reply on: sending it octet by
  // octet gains no time.
  std::size_t heard = machine_->replies();
  base::Deadline deadline = limit(machine_->stage());
  while (machine_->step() == Step::Read) {
    const std::string output = machine_->take_output();
    if (!output.empty() || machine_->replies() != heard) {
      heard = machine_->replies();
      deadline = limit(machine_->stage());
    }
    if (!output.empty()) {
      if (may_go_on && !may_go_on(false)) {
        withdrawn_ = true;
        co_return drop({4, 3, 0}, "withdrawn");
      }
      const bool written = co_await write(output, deadline);
      if (!written) co_return;
    }
    std::expected<std::size_t, ports::IoError> octets;
    {
      const Place::Wait wait(place_, clock_);
      octets = co_await stream_->read_some(buffer, deadline);
    }
    if (!octets) co_return drop(octets.error());
    machine_->feed(std::string_view(buffer.data(), *octets));
  }
  if (machine_->step() == Step::Closed && stream_) {
    stream_->close();
    stream_.reset();
  }
}

base::Task<bool> RemoteSession::start_tls() {
  const base::Deadline deadline = limit(Stage::StartTls);
  std::expected<std::unique_ptr<ports::Stream>, ports::TlsError> tls;
  {
    const Place::Wait wait(place_, clock_);
    tls = co_await dialer_.start_tls(std::move(stream_), remote_.host, remote_.demand, deadline);
  }
  if (!tls) {
    const ports::IoError error = tls.error().error;
    const bool is_ours = ports::is_ours(error);
    if (is_ours) {
      trouble_here_ = error;
    } else {
      tls_broke_ = true;
      tls_result_ = tls.error().result;
    }
    drop(is_ours ? status_of(error) : mail::EnhancedStatus{4, 7, 0},
         "TLS handshake: " + why(error));
    co_return false;
  }
  stream_ = std::move(*tls);
  if (const auto info = stream_->tls()) tls_version_ = info->version;
  machine_->tls_started();
  co_return true;
}

base::Task<std::optional<smtp::Verdict>> RemoteSession::greet(smtp::TlsUse use) {
  tls_version_.clear();
  machine_.emplace(policy_->hostname.text(), use);
  const base::Deadline deadline = limit(policy_->outbound.connect_timeout);
  std::expected<std::unique_ptr<ports::Stream>, ports::IoError> connected;
  {
    const Place::Wait wait(place_, clock_);
    connected = co_await dialer_.connect(remote_.endpoint, remote_.source, deadline);
  }
  if (!connected) {
    if (ports::is_ours(connected.error())) trouble_here_ = connected.error();
    co_return smtp::local_verdict(mail::OutcomeKind::Deferred, Stage::Connect,
                                  status_of(connected.error()), why(connected.error()));
  }
  stream_ = std::move(*connected);
  if (leads_to_us(stream_->local(), stream_->peer(), *policy_)) {
    stream_.reset();
    co_return smtp::local_verdict(mail::OutcomeKind::Failed, Stage::Connect, {5, 4, 6},
                                  "that address leads back to this host");
  }
  co_await converse({});
  if (machine_->step() == Step::StartTls) {
    const bool encrypted = co_await start_tls();
    if (encrypted) {
      co_await converse({});
      // With TLS 1.3 the server's verdict on the handshake comes after our side has finished.
      const bool spoke = machine_->step() == Step::Ready || machine_->failure().code != 0;
      if (!spoke) {
        tls_broke_ = true;
        tls_result_ = mail::TlsResult::ValidationFailure;
      }
    }
  } else if (machine_->step() == Step::Ready && use != smtp::TlsUse::Never &&
             machine_->extensions().starttls) {
    // STARTTLS was offered and refused: later refusals may be due to the missing TLS.
    is_fallback_ = true;
    tls_result_ = mail::TlsResult::StartTlsNotSupported;
  } else if (machine_->step() == Step::Closed && machine_->failure().stage == Stage::StartTls) {
    tls_result_ = mail::TlsResult::StartTlsNotSupported;
  }
  if (machine_->step() == Step::Ready) co_return std::nullopt;
  smtp::Verdict failure = machine_->failure();
  // What a server says before the first MAIL is about itself, not about our mail.
  failure.kind = mail::OutcomeKind::Deferred;
  co_return failure;
}

base::Task<std::optional<smtp::Verdict>> RemoteSession::open(Candidate remote) {
  remote_ = std::move(remote);
  trouble_here_.reset();
  tls_broke_ = false;
  is_fallback_ = false;
  tls_result_ = mail::TlsResult::None;
  auto failure = co_await greet(use_of(remote_.demand.level));
  const bool forgiven = remote_.demand.level == mail::TlsLevel::May && !place_.cut.made();
  if (failure && tls_broke_ && forgiven) {
    is_fallback_ = true;
    failure = co_await greet(smtp::TlsUse::Never);
  }
  co_return failure;
}

base::Task<std::expected<void, SendFailure>> RemoteSession::send(
    smtp::ClientTransaction transaction, const CopyHead& head, ContentSource& content,
    const ports::DeliveryQueue& queue, MayGoOn may_go_on) {
  std::expected<void, SendFailure> result;
  withdrawn_ = false;
  machine_->begin(std::move(transaction));
  co_await converse(may_go_on);
  if (machine_->step() == Step::Content) {
    result = co_await send_content(head, content, queue, may_go_on);
    if (result) co_await converse({});
    place_.is_past_dot = false;  // the reply has come, or never will
  }
  if (withdrawn_) co_return std::unexpected(SendFailure{.trouble = SendTrouble::Withdrawn});
  co_return result;
}

base::Task<std::expected<void, SendFailure>> RemoteSession::send_content(
    const CopyHead& head, ContentSource& content, const ports::DeliveryQueue& queue,
    const MayGoOn& may_go_on) {
  std::expected<void, SendFailure> ok;
  const auto storage = [](SpoolError error) {
    return std::unexpected(SendFailure{.trouble = SendTrouble::Storage, .error = error});
  };
  smtp::DotStuffer stuffer;
  std::string wire;
  bool sound = stuffer.put(head.mark, wire) && stuffer.put(head.fields[0], wire) &&
               stuffer.put(head.fields[1], wire) &&
               stuffer.put(std::string_view(content.front()).substr(head.content_begin), wire);
  for (std::uint32_t sequence = 1; sound && !content.whole(); ++sequence) {
    auto next = co_await content.chunk(sequence);
    if (!next) {
      drop({4, 3, 0}, "stored content cannot be read");
      co_return storage(next.error());
    }
    if (next->empty()) break;
    const bool written = co_await write(wire, limit(policy_->timeouts.block));
    if (!written) co_return ok;
    wire.clear();
    sound = stuffer.put(*next, wire);
  }
  // Write nearly everything before the dot: so a server that stops reading is noticed while the
  // wait can still be cut.
  if (sound && wire.size() > kMostBesideDot) {
    const bool written = co_await write(wire, limit(policy_->timeouts.block));
    if (!written) co_return ok;
    wire.clear();
  }
  if (!sound || !stuffer.finish(wire)) {
    drop({4, 3, 0}, "stored content is not what was accepted");
    co_return storage(SpoolError::Corrupt);
  }
  // If the outcome cannot be recorded, the message would be sent again: send no dot.
  if (queue.poisoned()) {
    drop({4, 3, 0}, "queue storage failed");
    co_return storage(SpoolError::Poisoned);
  }
  if (stream_->has_unread()) {
    drop({4, 5, 0}, "reply before the end of data");
    co_return ok;
  }
  if (place_.cut.made()) {
    drop({4, 4, 2}, std::string(kCutOff));
    co_return ok;
  }
  if (may_go_on && !may_go_on(true)) {
    withdrawn_ = true;
    drop({4, 3, 0}, "withdrawn");
    co_return ok;
  }
  place_.is_past_dot = true;
  const base::Deadline deadline{.at = clock_.steady() + policy_->timeouts.block};
  const bool written = co_await write(wire, deadline, true);
  if (written) machine_->content_sent();
  co_return ok;
}

base::Task<> RemoteSession::quit() {
  if (!stream_) co_return;
  if (machine_->step() == Step::Ready || machine_->step() == Step::Done) {
    machine_->quit();
    const std::string output = machine_->take_output();
    const auto written = co_await stream_->write(output, limit(std::chrono::seconds(5)));
    static_cast<void>(written);  // QUIT may fail
  }
  stream_->close();
  stream_.reset();
}

}  // namespace relay::delivery
