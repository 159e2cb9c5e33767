#include "relay/delivery/attempt_course.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

using mail::OutcomeKind;

/// Whether the header of the copy, original or rewritten, contains UTF-8.
bool header_has_utf8(const CopyHead& head, std::string_view content) {
  if (head.content_begin > 0) return !base::is_ascii(head.fields[0]);
  return !base::is_ascii(content.substr(0, mail::header_length(content).value_or(content.size())));
}

}  // namespace

AttemptCourse::AttemptCourse(const Consignment& about, const CopyHead& its_head,
                             ContentSource& its_content, const Gate& may_go_on,
                             AttemptReport& result, std::vector<std::size_t> hosts,
                             base::SteadyTime end)
    : consignment(about),
      head(its_head),
      content(its_content),
      gate(may_go_on),
      report(result),
      ends_at(end),
      left(about.copies.size()),
      order_(std::move(hosts)) {
  std::iota(left.begin(), left.end(), 0U);
}

bool AttemptCourse::has_next() const {
  const Policy& policy = *consignment.policy;
  if (next_ >= order_.size()) return false;
  if (asked_.size() >= policy.addresses_per_attempt) return false;
  return hosts_asked_ < policy.hosts_per_attempt || was_asked(order_[next_]);
}

const Candidate& AttemptCourse::next_host() {
  here = order_[next_++];
  return hosts()[*here];
}

void AttemptCourse::adopt(const Candidate& host) {
  const auto at = std::ranges::find(hosts(), host);
  here = static_cast<std::size_t>(at - hosts().begin());
  std::erase(order_, *here);
  count_asked(*here);
  reached = true;
  only_final = false;
}

bool AttemptCourse::was_asked(std::size_t at) const {
  return std::ranges::any_of(
      asked_, [&](std::size_t other) { return same_host(hosts()[other], hosts()[at]); });
}

void AttemptCourse::count_asked(std::size_t at) {
  if (!was_asked(at)) ++hosts_asked_;
  asked_.push_back(at);
}

std::vector<std::uint16_t> AttemptCourse::indices_of(const Copies& which) const {
  std::vector<std::uint16_t> indices;
  indices.reserve(which.size());
  for (const std::size_t copy : which) {
    indices.push_back(consignment.queued->recipients[consignment.copies[copy]].route.index);
  }
  return indices;
}

smtp::ClientTransaction AttemptCourse::transaction_for(const Copies& which) const {
  const mail::AcceptedMessage& message = consignment.queued->message;
  const auto& recipients = consignment.queued->recipients;
  const auto& copies = consignment.copies;
  smtp::ClientTransaction transaction;
  transaction.reverse_path = recipients[copies[which.front()]].route.reverse_path;
  for (const std::size_t copy : which) {
    transaction.recipients.push_back(recipients[copies[copy]].route.target);
  }
  transaction.size = head.size(message);
  transaction.eight_bit = message.body == mail::BodyType::EightBitMime;
  // Clients say SMTPUTF8 wherever it is offered; it is needed only if there is UTF-8 (RFC 6531
  // §3.4).
  transaction.needs_smtputf8 = message.smtputf8 && header_has_utf8(head, content.front());
  return transaction;
}

void AttemptCourse::note(std::size_t copy, mail::Outcome outcome, bool is_protocol_error) {
  CopyResult& result = report.copies[copy];
  if (is_protocol_error) result.faults.push_back(outcome.attempt);
  if (result.outcome) result.before.push_back(std::move(result.outcome->attempt));
  result.outcome = std::move(outcome);
}

void AttemptCourse::drop_withdrawn() {
  const auto withdrawn = [&](std::size_t copy) { return !gate(indices_of({copy}), false); };
  std::erase_if(left, withdrawn);
  std::erase_if(moved, withdrawn);
}

void AttemptCourse::give_up(bool was_cut) {
  const bool all_asked = next_ >= order_.size();
  const bool is_final = all_asked && only_final && !asked_.empty();
  for (const std::size_t copy : left) {
    auto& outcome = report.copies[copy].outcome;
    if (!outcome) continue;
    if (is_final) outcome->kind = OutcomeKind::Failed;
    // A permanent refusal by some hosts becomes temporary: a host not tried yet may accept.
    if (!all_asked && outcome->kind == OutcomeKind::Failed) outcome->kind = OutcomeKind::Deferred;
  }
  if (reached || is_final || left.empty()) return;
  if (report.feedback.trouble_here) return;  // our own trouble may be the only reason
  const auto& last = report.copies[left.front()].outcome;
  if (last && last->kind == OutcomeKind::Deferred && !was_cut) report.feedback.unreachable = last;
}

}  // namespace relay::delivery
