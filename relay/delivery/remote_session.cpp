#include "relay/delivery/remote_session.hpp"

#include <array>
#include <utility>

#include "relay/delivery/outcome_map.hpp"
#include "relay/smtp/dot_stuffer.hpp"

namespace relay::delivery {

using mail::Stage;
using ports::SpoolError;
using Step = smtp::ClientMachine::Step;

base::Deadline RemoteSession::limit(std::chrono::seconds span, base::Deadline whole) const {
  return base::Deadline{clock_.steady() + span}.within(whole);
}

base::Deadline RemoteSession::limit(Stage stage, base::Deadline whole) const {
  const Timeouts& timeouts = policy_->timeouts;
  switch (stage) {
    case Stage::MailFrom:
      return limit(timeouts.mail, whole);
    case Stage::RcptTo:
      return limit(timeouts.rcpt, whole);
    case Stage::Data:
      return limit(timeouts.data, whole);
    case Stage::EndOfData:
      return limit(timeouts.end_of_data, whole);
    default:
      return limit(timeouts.greeting, whole);
  }
}

void RemoteSession::drop(mail::EnhancedStatus status, std::string why, bool end_of_data_sent) {
  machine_->lost(status, std::move(why), end_of_data_sent);
  if (stream_) stream_->close();
  stream_.reset();
}

base::Task<> RemoteSession::converse(base::Deadline whole) {
  std::array<char, 4096> buffer;
  while (machine_->step() == Step::Read) {
    const base::Deadline deadline = limit(machine_->stage(), whole);
    const std::string output = machine_->take_output();
    if (!output.empty()) {
      const auto written = co_await stream_->write(output, deadline);
      if (!written)
        co_return drop(status_of(written.error()), std::string(describe(written.error())));
    }
    const auto octets = co_await stream_->read_some(buffer, deadline);
    if (!octets) co_return drop(status_of(octets.error()), std::string(describe(octets.error())));
    machine_->feed(std::string_view(buffer.data(), *octets));
  }
  if (machine_->step() == Step::Closed && stream_) {
    stream_->close();
    stream_.reset();
  }
}

base::Task<bool> RemoteSession::start_tls(base::Deadline whole) {
  auto tls = co_await dialer_.start_tls(std::move(stream_), remote_.host, remote_.level,
                                        limit(Stage::StartTls, whole));
  if (!tls) {
    handshake_failed_ = true;
    drop(status_of(tls.error()), "TLS handshake: " + std::string(describe(tls.error())));
    co_return false;
  }
  stream_ = std::move(*tls);
  if (const auto info = stream_->tls()) tls_version_ = info->version;
  machine_->tls_started();
  co_return true;
}

base::Task<std::optional<smtp::Verdict>> RemoteSession::greet(smtp::TlsUse use,
                                                              base::Deadline whole) {
  tls_version_.clear();
  machine_.emplace(policy_->hostname.text(), use);
  auto connected = co_await dialer_.connect(remote_.endpoint, remote_.source,
                                            limit(policy_->timeouts.connect, whole));
  if (!connected) {
    smtp::Verdict verdict;
    verdict.stage = Stage::Connect;
    verdict.status = {4, 4, 1};
    verdict.text = describe(connected.error());
    co_return verdict;
  }
  stream_ = std::move(*connected);
  co_await converse(whole);
  if (machine_->step() == Step::StartTls) {
    const bool encrypted = co_await start_tls(whole);
    if (encrypted) co_await converse(whole);
  }
  if (machine_->step() == Step::Ready) co_return std::nullopt;
  smtp::Verdict failure = machine_->failure();
  // Whatever a server says before the first MAIL, it says of itself and not of our mail (O-2).
  failure.kind = mail::OutcomeKind::Deferred;
  co_return failure;
}

base::Task<std::optional<smtp::Verdict>> RemoteSession::open(Candidate remote,
                                                             base::Deadline whole) {
  remote_ = std::move(remote);
  handshake_failed_ = false;
  auto failure = co_await greet(remote_.tls, whole);
  if (failure && handshake_failed_ && remote_.tls == smtp::TlsUse::IfOffered) {
    failure = co_await greet(smtp::TlsUse::Never, whole);
  }
  co_return failure;
}

base::Task<std::expected<void, SpoolError>> RemoteSession::send(smtp::ClientTransaction transaction,
                                                                const CopyHead& head,
                                                                ContentSource& content,
                                                                const ports::Spool& spool,
                                                                base::Deadline whole) {
  std::expected<void, SpoolError> result;
  machine_->begin(std::move(transaction));
  co_await converse(whole);
  if (machine_->step() == Step::Content) {
    result = co_await send_content(head, content, spool, whole);
    if (result) co_await converse(whole);
  }
  co_return result;
}

base::Task<std::expected<void, SpoolError>> RemoteSession::send_content(const CopyHead& head,
                                                                        ContentSource& content,
                                                                        const ports::Spool& spool,
                                                                        base::Deadline whole) {
  std::expected<void, SpoolError> ok;
  smtp::DotStuffer stuffer;
  std::string wire;
  bool sound = stuffer.put(head.fields[0], wire) && stuffer.put(head.fields[1], wire) &&
               stuffer.put(std::string_view(content.front()).substr(head.content_begin), wire);
  for (std::uint32_t sequence = 1; sound && !content.whole(); ++sequence) {
    auto next = co_await content.chunk(sequence);
    if (!next) {
      drop({4, 3, 0}, "stored content cannot be read");
      co_return std::unexpected(next.error());
    }
    if (next->empty()) break;
    const auto written = co_await stream_->write(wire, limit(policy_->timeouts.block, whole));
    if (!written) {
      drop(status_of(written.error()), std::string(describe(written.error())));
      co_return ok;
    }
    wire.clear();
    sound = stuffer.put(*next, wire);
  }
  if (!sound || !stuffer.finish(wire)) {
    drop({4, 3, 0}, "stored content is not what was accepted");
    co_return std::unexpected(SpoolError::Corrupt);
  }
  // Where completion could not be recorded, the message would be sent again: no dot then.
  if (spool.poisoned()) {
    drop({4, 3, 0}, "spool failed");
    co_return std::unexpected(SpoolError::Poisoned);
  }
  if (stream_->has_unread()) {
    drop({4, 5, 0}, "reply before the end of data");  // O-6
    co_return ok;
  }
  const auto written = co_await stream_->write(wire, limit(policy_->timeouts.block, whole));
  if (!written) {
    drop(status_of(written.error()), std::string(describe(written.error())), true);
  } else {
    machine_->content_sent();
  }
  co_return ok;
}

base::Task<> RemoteSession::quit() {
  if (!stream_) co_return;
  if (machine_->step() == Step::Ready || machine_->step() == Step::Done) {
    machine_->quit();
    const std::string output = machine_->take_output();
    const auto written = co_await stream_->write(output, limit(std::chrono::seconds(5), {}));
    static_cast<void>(written);  // nothing hangs on a farewell
  }
  stream_->close();
  stream_.reset();
}

}  // namespace relay::delivery
