#include "relay/delivery/attempt_runner.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "relay/delivery/outcome_map.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

bool has_utf8(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// Of the author's header, or of the one that stands in its place.
bool header_has_utf8(const CopyHead& head, std::string_view content) {
  if (head.content_begin > 0) return has_utf8(head.fields[0]);
  return has_utf8(content.substr(0, mail::header_length(content).value_or(content.size())));
}

}  // namespace

base::Task<> AttemptRunner::close() {
  if (session_) co_await session_->quit();
  session_.reset();
  sent_ = 0;
}

base::Task<std::optional<mail::Outcome>> AttemptRunner::connect(const Consignment& consignment,
                                                                base::Deadline whole,
                                                                base::WallTime at) {
  const auto& policy = consignment.policy;
  const base::Deadline dns =
      base::Deadline{ports_.clock.steady() + policy->timeouts.dns}.within(whole);
  auto candidates = co_await selection_.candidates(consignment.destination, policy, dns);
  if (!candidates) {
    candidates.error().attempt.at = at;
    co_return std::move(candidates.error());
  }
  std::optional<mail::Outcome> why;
  for (Candidate& candidate : *candidates) {  // O-2: any failure before MAIL means the next one
    if (why && whole.passed(ports_.clock.steady())) break;
    session_.emplace(ports_.dialer, ports_.clock, policy);
    const auto failure = co_await session_->open(candidate, whole);
    if (!failure) co_return std::nullopt;
    why = outcome_of(*failure, candidate, session_->tls_version());
    why->attempt.at = at;
    session_.reset();
  }
  co_return why;
}

smtp::ClientTransaction AttemptRunner::transaction_for(const Consignment& consignment,
                                                       const std::vector<std::size_t>& which,
                                                       const CopyHead& head,
                                                       const ContentSource& content) const {
  const auto& [message, recipients] = *consignment.queued;
  smtp::ClientTransaction transaction;
  transaction.reverse_path = recipients[consignment.copies[which.front()]].route.reverse_path;
  for (const std::size_t i : which) {
    transaction.recipients.push_back(recipients[consignment.copies[i]].route.target);
  }
  transaction.size = head.size(message);
  transaction.eight_bit = message.body == mail::BodyType::EightBitMime;
  // Many clients say SMTPUTF8 whenever it is offered; it is needed where UTF-8 is (RFC 6531 §3.4).
  transaction.needs_smtputf8 = message.smtputf8 && header_has_utf8(head, content.front());
  return transaction;
}

/// False when the reused connection turned out dead before anything was said on it.
base::Task<bool> AttemptRunner::transact(const Consignment& consignment,
                                         std::vector<std::size_t> which, const CopyHead& head,
                                         ContentSource& content, base::Deadline whole,
                                         AttemptReport& report) {
  const bool reused = sent_ > 0;
  const base::WallTime at = ports_.clock.wall();
  auto transaction = transaction_for(consignment, which, head, content);
  ++sent_;
  const auto sent =
      co_await session_->send(std::move(transaction), head, content, ports_.spool, whole);
  if (!sent) {
    report.spool_error = sent.error();
    co_await close();
    co_return true;
  }
  const auto& verdicts = session_->verdicts();
  const bool stale =
      reused && !session_->reusable() && std::ranges::all_of(verdicts, [](const auto& verdict) {
        return verdict.stage == mail::Stage::MailFrom && (verdict.code == 0 || verdict.closing) &&
               verdict.kind == mail::OutcomeKind::Deferred;
      });
  if (!stale) {
    for (std::size_t i = 0; i < which.size(); ++i) {
      auto& outcome = report.outcomes[which[i]];
      outcome = outcome_of(verdicts[i], session_->remote(), session_->tls_version());
      outcome.attempt.at = at;
    }
  }
  co_return !stale;
}

base::Task<AttemptReport> AttemptRunner::run(Consignment consignment, ContentSource& content) {
  AttemptReport report;
  report.outcomes.resize(consignment.copies.size());
  const auto& [message, recipients] = *consignment.queued;
  const auto head =
      head_of(message, recipients[consignment.copies.front()].route.handling, content);
  if (!head) {
    report.spool_error = head.error();
    co_return report;
  }
  const auto started = ports_.clock.steady();
  const base::WallTime at = ports_.clock.wall();
  const base::Deadline whole{started + consignment.policy->timeouts.whole};
  std::vector<std::size_t> left(consignment.copies.size());
  std::iota(left.begin(), left.end(), 0U);
  const bool fit = session_ && session_->reusable() && session_->policy() == consignment.policy &&
                   sent_ < consignment.policy->messages_per_connection;
  if (!fit) co_await close();

  while (!left.empty() && !report.spool_error) {
    if (!session_) {
      const auto before = ports_.clock.steady();
      auto failure = co_await connect(consignment, whole, at);
      report.connecting += duration_cast<milliseconds>(ports_.clock.steady() - before);
      if (failure) {
        for (const std::size_t i : left) report.outcomes[i] = *failure;
        report.unreachable = failure->kind == mail::OutcomeKind::Deferred;
        break;
      }
    }
    const auto now_sent = std::min(left.size(), consignment.policy->recipients_per_transaction);
    std::vector<std::size_t> which(left.begin(),
                                   left.begin() + static_cast<std::ptrdiff_t>(now_sent));
    const bool spoken = co_await transact(consignment, which, *head, content, whole, report);
    if (report.spool_error) break;
    if (spoken) {
      // Who came after "too many recipients" goes into a transaction of its own, at once.
      const auto& verdicts = session_->verdicts();
      std::vector<std::size_t> again;
      for (std::size_t i = 0; i < which.size(); ++i) {
        if (verdicts[i].too_many) again.push_back(which[i]);
      }
      left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(now_sent));
      left.insert(left.begin(), again.begin(), again.end());
    }
    if (!session_->reusable()) co_await close();
  }
  report.sending = duration_cast<milliseconds>(ports_.clock.steady() - started) - report.connecting;
  co_return report;
}

}  // namespace relay::delivery
