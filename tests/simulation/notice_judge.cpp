#include "tests/simulation/notice_judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/text_hash.hpp"

namespace relay::simulation {

using ports::Notify;
using namespace std::chrono_literals;

namespace {

/// RFC 3464 has it so: a notice is one minute old at most, and the relay needs a moment.
constexpr auto kPaidWithin = 70s;
constexpr auto kPaidAtTheEnd = 10s;  ///< once no other copy can fail
constexpr auto kMinute = 60s;        ///< the judge's own: what the relay keeps to may be wrong

bool all_ended(const MessageTruth& message) {
  return std::ranges::all_of(message.copies,
                             [](const CopyTruth& copy) { return has_ended(copy.state); });
}

bool tells_of_delay(const ports::NewMessage& dsn) {
  return dsn.content.contains("Action: delayed");
}

}  // namespace

std::uint64_t body_hash_of(std::string_view content) {
  const std::size_t end = content.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  return text_hash(content.substr(end + 4));
}

/// Takes the notices away that the report tells of.
void NoticeJudge::take_notices(MessageTruth& message, const ports::Report& report) {
  for (const auto& [index, kind] : report.notices) {
    const bool of_delay = kind == Notify::OfDelay;
    if (of_delay) std::erase(message.delays_untold, index);
    if (of_delay && std::ranges::find(message.delayed, index) != message.delayed.end()) continue;
    const auto owed = std::ranges::find(message.owed, index, &OwedNotice::index);
    if (!of_delay && owed != message.owed.end()) {
      message.owed.erase(owed);
    } else if (message.may_be_told) {
      verdicts_.violate(Rule::DsnWithoutCause, {message.number, index},
                        "a DSN tells of what nobody noticed, or a second time");
    }
  }
}

void NoticeJudge::check_rate(MessageTruth& message, const ports::Report& report) {
  const CopyName name{message.number, 0};
  if (std::ranges::any_of(report.dsns, tells_of_delay) && ++message.delay_notices > 1) {
    verdicts_.violate(Rule::SecondDelayNotice, name, "a second notice of delay");
  }
  // The last failure need not wait: none can follow it.
  const auto now = clock_.steady();
  const bool soon = !wall_jumped_ && !all_ended(message) && message.reported_at &&
                    now - *message.reported_at < kMinute - 1s;
  if (soon) verdicts_.violate(Rule::DsnTooOften, name, "two DSNs within a minute");
  message.reported_at = now;
}

/// The DSNs name every address that failed.
void NoticeJudge::check_contents(const MessageTruth& message, const ports::Report& report) {
  for (const auto& [index, kind] : report.notices) {
    if (kind != Notify::OfFailure || index >= message.aliases.size()) continue;
    const std::string& alias = message.aliases[index];
    const auto names_it = [&](const ports::NewMessage& dsn) { return dsn.content.contains(alias); };
    if (std::ranges::any_of(report.dsns, names_it)) continue;
    verdicts_.violate(Rule::DsnUnpaid, {message.number, index}, "no DSN names " + alias);
  }
}

void NoticeJudge::add_dsn(const MessageTruth& of, const ports::NewMessage& dsn) {
  const std::uint32_t number = book_.next_number();
  const std::uint32_t original = of.number;
  MessageTruth& truth = book_.add(dsn, number, original, body_hash_of(dsn.content));
  truth.committed = true;
  for (CopyTruth& copy : truth.copies) {
    copy.state = CopyTruth::State::Waiting;
    copy.due = clock_.wall();
    copy.due_at = clock_.steady();
    copy.waits_since = copy.recorded_at = copy.asked_from = clock_.steady();
  }
  verdicts_.note(Event::What::Report, {number, 0}, 0, original);
  const bool addressed = truth.null_sender && dsn.routes.size() == 1 &&
                         key_of(dsn.routes[0].target.to_string()) == CopyName{original, kToSender};
  if (!addressed) {
    verdicts_.violate(Rule::DsnWithoutCause, {original, 0}, "a DSN that goes to somebody else");
  }
}

void NoticeJudge::reported(const ports::Report& report) {
  MessageTruth* const message = book_.find(report.id);
  if (message == nullptr) {
    return verdicts_.violate(Rule::DsnWithoutCause, kNoCopy, "a DSN about a message of nobody");
  }
  message->silence_untold = false;
  take_notices(*message, report);
  const bool of_failure = std::ranges::any_of(
      report.notices, [](const auto& notice) { return notice.second == Notify::OfFailure; });
  if (report.dsns.empty()) {
    if (of_failure && message->may_be_told) {
      verdicts_.violate(Rule::DsnUnpaid, {message->number, 0}, "a failure was told to nobody");
    }
    return;
  }
  if (!message->may_be_told) {
    return verdicts_.violate(Rule::DsnWithoutCause, {message->number, 0},
                             "a DSN to who must not be told");
  }
  check_rate(*message, report);
  check_contents(*message, report);
  for (const ports::NewMessage& dsn : report.dsns) add_dsn(*message, dsn);
}

void NoticeJudge::check_debts(base::SteadyTime now, base::SteadyTime calm_since) {
  const std::ptrdiff_t owing = book_.owing();
  for (const MessageTruth& message : book_.messages()) {
    const bool ended = all_ended(message);
    for (const OwedNotice& notice : message.owed) {
      const auto due = ended ? message.copy_ended_at + kPaidAtTheEnd : notice.since + kPaidWithin;
      if (now <= due + std::max(owing, notice.owing) * slack_ || now - calm_since <= kPaidWithin)
        continue;
      verdicts_.violate(Rule::DsnUnpaid, {message.number, notice.index},
                        "a notice was not paid within a minute");
      return;
    }
  }
}

}  // namespace relay::simulation
