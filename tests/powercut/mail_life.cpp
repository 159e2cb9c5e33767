#include "tests/powercut/mail_life.hpp"

#include <algorithm>

#include "relay/ports/greylist.hpp"
#include "relay/ports/intake_queue.hpp"
#include "tests/spool/a_message.hpp"

namespace relay::powercut {

using mail::RecipientState;
using spool::kNow;

base::Task<> MailLife::accept(std::size_t copies) {
  auto made = message(copies, content(6000));
  made.tokens.push_back({made.message.id.to_string(), made.message.reverse_path,
                         std::chrono::days(12), "192.0.2.0/24", 1000});
  co_await commit(std::move(made));
}

base::Task<> MailLife::accept_large() {
  // One after the other in the same place must not look alike.
  const char fill = static_cast<char>('a' + draw(26));
  auto made = message(1, std::string(ports::kChunkOctets + draw(5000), fill));
  made.routes.front().held = false;
  made.routes.front().awaits.clear();
  const mail::CopyId copy{made.message.id, 0};
  const auto appended =
      co_await spool_.intake().append(copy.message, 0, made.content.substr(0, ports::kChunkOctets));
  require(appended.has_value(), "the chunk");
  made.content.erase(0, ports::kChunkOctets);
  co_await commit(std::move(made));
  std::erase(waiting_, copy);
  large_.push_back(copy);
}

base::Task<> MailLife::abandon_large() {
  const auto id = mail::MessageId::generate(kNow);
  co_await spool_.intake().append(id, 0, std::string(ports::kChunkOctets, 'D'));
  spool_.intake().discard(id);
}

void MailLife::replace_large() {
  together(accept(1), accept(1), accept(1), accept(1), accept(1), accept(1));
  together(finish_large(), finish_large(), accept_large());
}

base::Task<> MailLife::finish_large() {
  if (large_.empty()) co_return;
  const mail::CopyId copy = large_.back();
  large_.pop_back();
  co_await finish(copy, End::Delivered);
}

base::Task<> MailLife::finish_one() {
  const auto copy = take(waiting_);
  if (!copy) co_return;
  const auto kind = draw(10);
  co_await finish(*copy, kind < 5 ? End::Delivered : kind < 7 ? End::Deferred : End::Failed);
}

/// Tries it until an attempt was not outdated by a retry.
base::Task<> MailLife::record(mail::CopyId copy, End end) {
  auto update = spool::outcome(copy.index, end == End::Delivered  ? RecipientState::Delivered
                                           : end == End::Deferred ? RecipientState::Waiting
                                                                  : RecipientState::Failed);
  if (end == End::Failed) update.notify = ports::Notify::OfFailure;
  Claim& claim = claims_[copy];
  while (true) {
    update.attempts_before = claim.attempts++;
    update.changes_before = claim.changes;
    const auto recorded =
        co_await spool_.delivery().record({.id = copy.message, .copies = {update}});
    require(recorded.has_value(), "the record");
    if (recorded->copies.front() == ports::Recorded::Yes) co_return;
    require(recorded->copies.front() == ports::Recorded::StaysDue, "the attempt");
    const auto loaded = co_await spool_.delivery().load(copy.message, {copy.index});
    require(loaded.has_value(), "the load");
    claim.changes = loaded->recipients.front().changes;
  }
}

base::Task<> MailLife::finish(mail::CopyId copy, End end) {
  if (end == End::Failed) note(Kind::DebtAsked, copy);
  if (end != End::Deferred) note(Kind::Asked, copy, State::Ended);
  co_await record(copy, end);
  if (end == End::Deferred) {
    waiting_.push_back(copy);
    co_return;
  }
  note(Kind::Answered, copy, State::Ended);
  if (end != End::Failed) co_return;
  note(Kind::DebtAnswered, copy);
  if (std::ranges::find(owed_, copy.message) == owed_.end()) owed_.push_back(copy.message);
}

base::Task<> MailLife::tell_one() {
  if (owed_.empty()) co_return;
  const mail::MessageId id = owed_[draw(owed_.size())];
  std::erase(owed_, id);
  const auto notices = co_await spool_.delivery().notices(id);
  // Paid already, with one that was told of together with it.
  if (!notices && notices.error() == ports::SpoolError::NotFound) co_return;
  require(notices.has_value(), "the debt");
  auto dsn = message(1, draw(10) == 0 ? std::string(300'000, 'q') : "the DSN");
  dsn.message.reverse_path = mail::ReversePath::null();
  dsn.routes.front().held = false;
  dsn.routes.front().awaits.clear();
  const mail::CopyId dsn_copy{dsn.message.id, 0};
  ports::Report report{.id = id, .notices = {}, .dsns = {dsn}};
  for (const ports::Notice& notice : notices->notices) {
    report.notices.emplace_back(notice.index, notice.kind);
    note(Kind::PayAsked, {id, notice.index}, State::Ended, dsn_copy.message);
  }
  const auto told = report.notices;
  const auto paid = co_await spool_.delivery().report(std::move(report));
  require(paid.has_value(), "the report");
  for (const auto& notice : told) note(Kind::PayAnswered, {id, notice.first});
  disk_.note({.kind = Kind::Acknowledged, .id = dsn_copy.message, .states = {State::Waiting}});
  waiting_.push_back(dsn_copy);
}

constexpr ports::GreylistRules kGreylisting{.delay = std::chrono::minutes(5),
                                            .retry_window = std::chrono::hours(48),
                                            .remember = std::chrono::hours(36 * 24),
                                            .trusted_after = 5};

base::Task<> MailLife::visit() {
  const std::string who = "visitor " + std::to_string(draw(20));
  const auto answer = co_await spool_.greylist().see({who, "network", "network"}, kGreylisting);
  require(answer.has_value(), "the visit");
}

}  // namespace relay::powercut
