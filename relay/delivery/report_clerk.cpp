#include "relay/delivery/report_clerk.hpp"

#include <algorithm>
#include <list>
#include <utility>

#include "relay/base/errands.hpp"
#include "relay/delivery/attempt_log.hpp"
#include "relay/delivery/report_writer.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/content_chunk.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

namespace {

using namespace std::chrono_literals;
using ports::SpoolError;

constexpr std::size_t kInARound = 64;
constexpr std::size_t kSideBySide = 16;  // concurrently, so that they share commits
constexpr auto kAgainAfterTrouble = 5s;
constexpr auto kLongest = 60s;

}  // namespace

void ReportClerk::stop() {
  stopping_ = true;
  bell_.ring();
}

base::Task<> ReportClerk::run() {
  auto& clock = shop_.ports.clock;
  while (!stopping_ && !shop_.poisoned) {
    const bool well = co_await round();
    std::chrono::milliseconds wait = kAgainAfterTrouble;
    if (well) {
      wait = kLongest;
      const auto next = co_await shop_.ports.queue.next_report_in();
      if (next && *next) wait = std::clamp<std::chrono::milliseconds>(**next, 1ms, kLongest);
    }
    if (stopping_) break;
    co_await clock.sleep_until(clock.steady() + wait, bell_);
  }
}

/// The messages due for a report, shared by the concurrent tasks of one round.
struct ReportClerk::Round {
  std::vector<mail::MessageId> due;
  std::size_t next = 0;
  bool well = true;  ///< the queue had no trouble
};

base::Task<> ReportClerk::tell_some(Round& round) {
  while (round.next < round.due.size() && round.well && !stopping_) {
    const bool told = co_await tell(round.due[round.next++]);
    if (!told) round.well = false;
  }
}

/// Writes all reports that are due. False: the queue had trouble.
base::Task<bool> ReportClerk::round() {
  for (;;) {
    auto due = co_await shop_.ports.queue.reports_due(kInARound);
    if (!due) {
      if (due.error() == SpoolError::Poisoned) shop_.poisoned = true;
      co_return false;
    }
    const bool is_last = due->size() < kInARound;
    Round round{.due = std::move(*due)};
    std::vector<base::Task<>> tellers;
    for (std::size_t i = 0; i < std::min(round.due.size(), kSideBySide); ++i) {
      tellers.push_back(tell_some(round));
    }
    co_await base::run_all(std::move(tellers));
    if (!round.well) co_return false;
    if (is_last || stopping_) co_return true;
  }
}

base::Task<std::string> ReportClerk::header_of(const mail::AcceptedMessage& message) {
  ContentSource content(shop_.ports.queue, message.id, message.size, nullptr);
  const auto opened = co_await content.open();
  if (!opened) co_return std::string();  // a DSN without the header is better than none
  const std::string& front = content.front();
  co_return front.substr(0, mail::header_length(front).value_or(front.size()));
}

std::vector<ports::FreshMessage> ReportClerk::fresh_of(const ports::Report& report) const {
  const base::WallTime now = shop_.ports.queue.now();
  std::vector<ports::FreshMessage> fresh;
  for (const ports::NewMessage& dsn : report.dsns) {
    ports::FreshMessage one{
        .queued = {.message = dsn.message, .recipients = {}, .received_at = now},
        .content = dsn.content.size() <= ports::kChunkOctets
                       ? std::make_shared<const std::string>(dsn.content)
                       : nullptr};
    for (const mail::Route& route : dsn.routes) {
      mail::QueuedRecipient copy{.route = route};
      copy.next_due = now;
      one.queued.recipients.push_back(std::move(copy));
    }
    fresh.push_back(std::move(one));
  }
  return fresh;
}

/// False: the queue had trouble; the notices stay.
base::Task<bool> ReportClerk::tell(mail::MessageId id) {
  auto& queue = shop_.ports.queue;
  const auto notices = co_await queue.notices(id);
  if (!notices) {
    if (notices.error() == SpoolError::NotFound) co_return true;  // reported already, or dropped
    log_spool_trouble(shop_.log, id, notices.error(), "DSN not written", queue.now());
    if (notices.error() != SpoolError::Corrupt) co_return false;
    const auto held = co_await queue.hold_damaged(id);
    co_return held.has_value();
  }
  ReportOrder order{.notices = *notices, .now = queue.now(), .new_id = shop_.new_id};
  order.header_block = co_await header_of(notices->queued.message);
  auto written = co_await write_report(std::move(order), shop_.policy.get(), shop_.signer);
  auto fresh = fresh_of(written.report);
  std::list<ports::ExpectedMessage> expected;
  for (const auto& dsn : written.report.dsns) expected.emplace_back(feed_, dsn.message.id);
  const auto paid = co_await queue.report(std::move(written.report));
  if (!paid && paid.error() == SpoolError::NotFound) co_return true;
  if (!paid) {
    if (paid.error() == SpoolError::Poisoned) shop_.poisoned = true;
    log_spool_trouble(shop_.log, id, paid.error(), "DSN not written", queue.now());
    co_return false;
  }
  log_notes(shop_.log, notices->queued.message, written.notes, queue.now());
  auto message = fresh.begin();
  for (auto& one : expected) one.offer(std::move(*message++));
  co_return true;
}

}  // namespace relay::delivery
