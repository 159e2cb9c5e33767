#include "tests/simulation/traffic_judge.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace relay::simulation {

namespace {

using State = CopyTruth::State;
using What = Event::What;
using namespace std::chrono_literals;

bool may_leave(const CopyTruth& copy) {
  return copy.state == State::Waiting || copy.state == State::Arriving || copy.in_limbo;
}

/// A reply that names a limit of recipients, not a full mailbox or disk.
bool states_limit(const Said& said) {
  if (said.step != Step::Rcpt || said.accepted == 0) return false;
  if (said.code == 452) return said.status.empty() || said.status == "4.5.3";
  return said.code == 552 && said.status == "5.5.3";
}

/// The server asks for a slower pace of all mail; 4.7.x about one recipient or about TLS does not.
bool throttles(const Said& said) {
  if (said.code >= 500 || !said.status.starts_with("4.7.")) return false;
  return said.code == 421 || said.step == Step::Banner || said.step == Step::Ehlo ||
         said.step == Step::Mail || said.step == Step::Reset || said.step == Step::Dot;
}

}  // namespace

CopyName TrafficJudge::first_of(const TransactionTruth& transaction) const {
  if (!transaction.keys.empty()) return transaction.keys.front();
  return transaction.message ? CopyName{*transaction.message, 0} : kNoCopy;
}

void TrafficJudge::dialled(const Dialled& dialled) {
  connections_.resize(dialled.connection + 1);
  connections_[dialled.connection] = {.host = dialled.host,
                                      .risk_pool = dialled.risk_pool,
                                      .offers_tls = dialled.offers_tls,
                                      .dialled_ms = clock_.since_start_ms().count()};
  verdicts_.note(What::Dialled, kNoCopy, dialled.connection, dialled.host);
  if (activity_ != nullptr) {
    activity_->dialling(dialled.connection, dialled.host, dialled.risk_pool);
  }
  if (dialled.host < 0) {
    return verdicts_.violate(Rule::Stranger, kNoCopy,
                             "dialled " + dialled.remote.address.to_string());
  }
  const auto host = static_cast<std::size_t>(dialled.host);
  book_.hosts[host].asked_at = clock_.steady();
  ++book_.hosts[host].connections;
  for (std::size_t domain = 0; domain < book_.world().domains.size(); ++domain) {
    if (book_.usable(domain, host)) return;
  }
  verdicts_.violate(Rule::BehindUs, kNoCopy,
                    book_.world().hosts[host].name + " is us, or behind us for every domain");
}

void TrafficJudge::failed_to_connect(std::uint32_t connection) {
  verdicts_.note(What::NotConnected, kNoCopy, connection, connections_[connection].host);
  note_end(connections_[connection]);
  if (activity_ != nullptr) activity_->ended(connection, true);
}

void TrafficJudge::note_end(ConnectionTruth& connection) {
  if (!std::exchange(connection.is_open, false) || connection.host < 0) return;
  HostTruth& host = book_.hosts[static_cast<std::size_t>(connection.host)];
  --host.connections;
  host.left_at = clock_.steady();
}

void TrafficJudge::handshake(std::uint32_t connection, bool succeeded) {
  connections_[connection].tried_tls = true;
  verdicts_.note(succeeded ? What::HandshakeDone : What::HandshakeFailed, kNoCopy, connection, 0);
  touch(connection, std::chrono::milliseconds{0});
}

void TrafficJudge::heard_mail(std::uint32_t connection, std::uint32_t transaction,
                              std::string_view sender) {
  transactions_.resize(transaction + 1);
  transactions_[transaction] = {.connection = connection,
                                .message = message_of_sender(sender),
                                .begun_ms = clock_.since_start_ms().count()};
  note_deal(connections_[connection], transactions_[transaction]);
  hear_limit(connection, connections_[connection].transaction);
  connections_[connection].transaction = transaction;
  verdicts_.note(What::Mail, kNoCopy, connection, transaction, sender);
}

/// A session gets another message when it has finished the one before, and begins no connection for
/// a message that it has had for longer than an attempt may take.
void TrafficJudge::note_deal(const ConnectionTruth& connection, TransactionTruth& transaction) {
  const TransactionTruth& before = transactions_[connection.transaction];
  if (connection.transaction == 0) {
    const auto open_for = clock_.since_start_ms() - milliseconds(connection.dialled_ms);
    transaction.dealt_at = clock_.steady() - open_for - book_.world().settings.attempt_limit;
  } else if (before.message == transaction.message) {
    transaction.dealt_at = before.dealt_at;
  } else {
    transaction.dealt_at = connection.replied_at;
  }
}

/// Copies dealt after the host list has expired go to the present hosts of the domain.
bool TrafficJudge::is_current(const TransactionTruth& transaction, std::size_t domain,
                              std::size_t host) const {
  constexpr std::chrono::seconds kShortestTtl{5};
  constexpr std::chrono::seconds kLookup{2};
  const base::SteadyTime moved_at = book_.moved_at[domain];
  if (moved_at == base::SteadyTime::max() || book_.usable_later(domain, host)) return true;
  const auto ttl = std::max(book_.world().domains[domain].ttl, kShortestTtl);
  return transaction.dealt_at <= moved_at + ttl + kLookup;
}

/// A refusal of one recipient too many binds the next transactions of that group: on the same
/// connection all, on others those that began when it could be known.
void TrafficJudge::check_limit(std::uint32_t connection, std::uint32_t number) {
  const TransactionTruth& transaction = transactions_[number];
  if (transaction.group >= limits_.size()) return;
  LearntLimit& limit = limits_[transaction.group];
  if (!limit.heard || number == limit.stated_in) return;
  const bool bound =
      connection == limit.connection || connections_[connection].dialled_ms > limit.known_ms;
  if (limit.checked == 0 && bound) limit.checked = number;
  if (limit.checked != number || transaction.keys.size() <= limit.most) return;
  verdicts_.violate(Rule::LimitExceeded, first_of(transaction),
                    fmt::format("{} recipients in transaction {}, after a server had taken {}",
                                transaction.keys.size(), number, limit.most));
  limit = {};
}

void TrafficJudge::check_recipient(ConnectionTruth& connection, TransactionTruth& transaction,
                                   CopyName key, std::string_view recipient) {
  const auto copies = book_.with_key(key);
  const auto is_under_way = [](const CopyTruth* copy) { return may_leave(*copy); };
  const auto found = std::ranges::find_if(copies, is_under_way);
  if (found == copies.end()) {
    const bool ended =
        !copies.empty() && has_ended(copies.front()->state) && !copies.front()->ended_by_operator;
    const bool accepted = !copies.empty() && copies.front()->state != State::Refused;
    return verdicts_.violate(
        ended ? Rule::EndsTwice : (accepted ? Rule::LeftAfterVerb : Rule::Stranger), key,
        fmt::format("RCPT for {}, which is not waiting", recipient));
  }
  const CopyTruth& copy = **found;
  transaction.group = copy.group;
  if (activity_ != nullptr) activity_->serves(transaction.connection, copy.group);
  const auto host = static_cast<std::size_t>(connection.host);
  if (!book_.usable(copy.domain, host)) {
    verdicts_.violate(Rule::BehindUs, key,
                      fmt::format("{} was given to {}, which is no host for it, or behind us",
                                  recipient, book_.world().hosts[host].name));
  }
  if (!is_current(transaction, copy.domain, host)) {
    verdicts_.violate(Rule::BehindUs, key,
                      fmt::format("{} was given to {}, which was its host before", recipient,
                                  book_.world().hosts[host].name));
  }
  if (copy.risk_pool != connection.risk_pool) {
    verdicts_.violate(Rule::WrongSource, key, "left from the address of the other pool");
  }
  if (copies.size() == 1) check_when(copy, transaction, book_.world().hosts[host].name);
  if (copies.size() == 1 && copy.dot_open && copy.dot_taken) {
    verdicts_.violate(Rule::TakenTwice, key, "asked again before the outcome was recorded");
  }
}

void TrafficJudge::check_when(const CopyTruth& copy, const TransactionTruth& transaction,
                              const std::string& host) {
  if (!wall_jumped_ && clock_.wall() + std::chrono::milliseconds{1000} < copy.due) {
    verdicts_.violate(
        Rule::TooEarly, copy.name,
        fmt::format("tried {} ms before it is due", (copy.due - clock_.wall()).count()));
  }
  const std::string& alias = book_.messages()[copy.name.message].aliases[copy.name.index];
  if (pauses_ == nullptr) return;
  // What is under way goes on.
  const auto known_for = clock_.since_start_ms() - milliseconds(transaction.begun_ms) + 1000ms;
  if (pauses_->keep_back(alias, host, known_for)) {
    verdicts_.violate(Rule::PausedLeft, copy.name, "left although a rule keeps it back");
  }
}

void TrafficJudge::heard_rcpt(std::uint32_t connection, std::uint32_t number,
                              std::string_view recipient) {
  const auto key = key_of(recipient);
  verdicts_.note(What::Rcpt, key.value_or(kNoCopy), connection, number, recipient);
  if (!key) {
    return verdicts_.violate(Rule::Stranger, kNoCopy, fmt::format("RCPT for {}", recipient));
  }
  TransactionTruth& transaction = transactions_[number];
  transaction.keys.push_back(*key);
  check_recipient(connections_[connection], transaction, *key, recipient);
  check_limit(connection, number);
}

void TrafficJudge::take(CopyTruth& copy, std::uint32_t connection, TransactionTruth& transaction) {
  transaction.taken.push_back(copy.key);
  ++copy.taken;
  verdicts_.note(What::Taken, copy.key, connection, connections_[connection].host);
  if (copy.taken > 1 + copy.excused) {
    verdicts_.violate(
        Rule::TakenTwice, copy.key,
        fmt::format("taken {} times, and {} of them are explained", copy.taken, copy.excused));
  }
  book_.hosts[static_cast<std::size_t>(connections_[connection].host)].took_at = clock_.steady();
}

void TrafficJudge::heard_dot(std::uint32_t connection, std::uint32_t number, const Content& content,
                             const std::vector<std::string_view>& recipients, bool taken) {
  MessageTruth* const message = book_.find(content.message_id);
  TransactionTruth& transaction = transactions_[number];
  if (message == nullptr) {
    return verdicts_.violate(Rule::Misdirected, first_of(transaction),
                             fmt::format("content of nobody: {}", content.message_id));
  }
  if (message->body_hash != 0 && message->body_hash != content.body_hash) {
    verdicts_.violate(Rule::Misdirected, first_of(transaction), "the content was changed");
  }
  transaction.dot_open = true;
  if (activity_ != nullptr) activity_->dot_may_be_written(connection);
  forget_wrong_limit(number, recipients.size());
  hear_limit(connection, number);
  for (const std::string_view recipient : recipients) {
    const auto key = key_of(recipient);
    const auto is_meant = [&](const CopyTruth& copy) { return key && copy.key == *key; };
    const auto copy = std::ranges::find_if(message->copies, is_meant);
    if (copy == message->copies.end()) {
      verdicts_.violate(Rule::Misdirected, key.value_or(kNoCopy),
                        fmt::format("{} got message {}", recipient, message->number));
      continue;
    }
    copy->dot_open = true;
    copy->in_content = false;
    copy->dot_taken = taken;
    copy->refused_at = base::SteadyTime::max();
    if (!may_leave(*copy)) {
      verdicts_.violate(Rule::LeftAfterVerb, copy->key,
                        "the dot was written although it is not waiting");
    }
    if (taken) {
      take(*copy, connection, transaction);
    } else {
      verdicts_.note(What::Dot, copy->key, connection, connections_[connection].host);
    }
  }
}

void TrafficJudge::learn_limit(const Said& said) {
  const TransactionTruth& transaction = transactions_[said.transaction];
  if (transaction.group == SIZE_MAX) return;
  if (limits_.size() <= transaction.group) limits_.resize(transaction.group + 1);
  limits_[transaction.group] = {
      .most = said.accepted, .connection = said.connection, .stated_in = said.transaction};
}

void TrafficJudge::said(const Said& said) {
  touch(said.connection, said.delay);
  if (said.step == Step::Ehlo && said.code >= 400) {
    connections_[said.connection].offers_tls = false;  // with HELO nothing is offered
  }
  if (said.step == Step::Data && said.code == 354) {
    begin_content(said);
    TransactionTruth& transaction = transactions_[said.transaction];
    transaction.for_nobody = said.accepted == 0;
    // From now on the dot may be written, whether it is read or not.
    if (activity_ != nullptr && !transaction.for_nobody) {
      activity_->dot_may_be_written(said.connection);
    }
  }
  if (said.step >= Step::Mail && said.step <= Step::Dot) {
    connections_[said.connection].replied_at = clock_.steady();
  }
  if (said.number == 0) return;
  HostTruth& host = book_.hosts[static_cast<std::size_t>(connections_[said.connection].host)];
  if (throttles(said)) host.throttled_at = clock_.steady();
  const bool of_recipient = said.status.starts_with("4.7.") || said.status.starts_with("4.2.");
  if (said.code < 400 || said.code >= 500 || of_recipient) {
    host.answered_at = clock_.steady() + said.delay;
  }
  if (said.step == Step::Dot && said.code < 300) {  // known when it is heard
    host.took_at = clock_.steady() + said.delay;
  }
  replies_.resize(said.number + 1);
  const auto key = said.recipient.empty() ? std::nullopt : key_of(said.recipient);
  replies_[said.number] = {.connection = said.connection,
                           .transaction = said.transaction,
                           .step = said.step,
                           .code = said.code,
                           .status = said.status,
                           .recipient = key.value_or(kNoCopy),
                           .accepted = said.accepted};
  verdicts_.note(What::Said, key.value_or(kNoCopy), said.connection, said.code, said.status);
  if (states_limit(said)) learn_limit(said);
  if (said.step == Step::Dot && said.code >= 400) note_refusal(said);
  if (activity_ != nullptr) activity_->replied(said.connection, said);
}

void TrafficJudge::begin_content(const Said& said) {
  for (const CopyName key : transactions_[said.transaction].keys) {
    for (CopyTruth* copy : book_.with_key(key)) copy->in_content = true;
  }
}

/// A client that writes the dot, or begins anew on that connection, has heard the replies before.
void TrafficJudge::hear_limit(std::uint32_t connection, std::uint32_t transaction) {
  for (LearntLimit& limit : limits_) {
    const bool meant = limit.connection == connection && limit.stated_in == transaction;
    if (limit.most == 0 || limit.heard || !meant) continue;
    limit.heard = true;
  }
}

void TrafficJudge::recorded(std::uint32_t transaction) {
  for (LearntLimit& limit : limits_) {
    if (limit.stated_in != transaction || limit.known_ms != INT64_MAX) continue;
    limit.known_ms = clock_.since_start_ms().count();
  }
}

/// A server that accepts more recipients after a refusal did not state a limit.
void TrafficJudge::forget_wrong_limit(std::uint32_t transaction, std::size_t accepted) {
  for (LearntLimit& limit : limits_) {
    if (limit.stated_in == transaction && accepted > limit.most) limit = {};
  }
}

/// From when on the client can know that the dot was in vain.
void TrafficJudge::note_refusal(const Said& said) {
  for (const CopyName key : transactions_[said.transaction].keys) {
    for (CopyTruth* copy : book_.with_key(key)) copy->refused_at = clock_.steady() + said.delay;
  }
}

void TrafficJudge::fell_silent(std::uint32_t connection) {
  if (activity_ != nullptr) activity_->fell_silent(connection);
}

void TrafficJudge::closed(const Closed& closed) {
  verdicts_.note(What::Closed, kNoCopy, closed.connection, closed.awaiting ? 1 : 0,
                 closed.awaiting ? name(closed.step) : "");
  ConnectionTruth& connection = connections_[closed.connection];
  note_end(connection);
  const bool timed_out = closed.awaiting && !closed.died;
  if (activity_ != nullptr) activity_->ended(closed.connection, timed_out);
  if (!timed_out || closed.step != Step::Dot || stopping_) return;
  const TransactionTruth& transaction = transactions_[connection.transaction];
  if (closed.waited >= book_.world().settings.dot_limit || transaction.for_nobody) return;
  verdicts_.violate(Rule::DotCutShort, first_of(transaction),
                    fmt::format("waited {} ms for the reply to the dot", closed.waited.count()));
}

void TrafficJudge::breached(std::uint32_t connection, Breach breach, std::string_view line) {
  const auto transaction = connections_[connection].transaction;
  verdicts_.violate(
      Rule::Protocol, first_of(transactions_[transaction]),
      fmt::format("connection {}: {}: {}", connection, name(breach), line.substr(0, 100)));
}

const SaidTruth* TrafficJudge::reply(std::uint32_t number) const {
  return number == 0 || number >= replies_.size() ? nullptr : &replies_[number];
}

void TrafficJudge::process_died() {
  limits_.clear();
  for (ConnectionTruth& connection : connections_) note_end(connection);
  for (MessageTruth& message : book_.messages()) {
    for (CopyTruth& copy : message.copies) {
      copy.in_content = false;
      if (std::exchange(copy.dot_open, false) && copy.dot_taken) ++copy.excused;
    }
  }
}

}  // namespace relay::simulation
