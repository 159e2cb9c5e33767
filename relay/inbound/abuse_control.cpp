#include "relay/inbound/abuse_control.hpp"

#include <string_view>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "relay/ports/greylist.hpp"

namespace relay::inbound {

namespace ip = boost::asio::ip;

namespace {

void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

smtp::Reply too_many_attempts(ShareLevel used_up) {
  const std::string_view whose = used_up == ShareLevel::Client      ? " from your address"
                                 : used_up == ShareLevel::Everybody ? ""
                                                                    : " from your network";
  return {450, {4, 7, 0}, fmt::format("Too many RCPT commands{}, try again later", whose)};
}

}  // namespace

std::optional<smtp::Reply> AbuseControl::objection_to_attempt(const base::Origin& origin,
                                                              bool is_postmaster,
                                                              const AbusePolicy& policy) {
  RcptAttempts& attempts = is_postmaster ? attempts_at_postmaster_ : attempts_;
  const auto used_up = attempts.take(origin, policy.attempts, clock_.steady());
  if (!used_up) return std::nullopt;
  return counted(too_many_attempts(*used_up));
}

void AbuseControl::forgive_attempts(const base::Origin& origin, std::uint32_t attempts,
                                    const AbusePolicy& policy) {
  attempts_.give_back(origin, attempts, policy.attempts, clock_.steady());
}

base::Task<std::optional<smtp::Reply>> AbuseControl::objection_to_client(std::string client,
                                                                         DnsListStage stage,
                                                                         const AbusePolicy& policy,
                                                                         base::Deadline deadline) {
  const auto lists = policy.dns_lists;
  if (lists->lists.empty() || lists->at != stage) co_return std::nullopt;
  const Standing standing = co_await lists_.standing_of(ip::make_address(client), lists, deadline);
  if (standing.zone.empty() || standing.score < lists->refuse_at) co_return std::nullopt;
  count(listed_);
  // RFC 5321 §3.1: a connection that gets no service is greeted with 554. A recipient gets 550.
  co_return smtp::Reply(stage == DnsListStage::Connect ? 554 : 550, {5, 7, 1},
                        fmt::format("{} is listed by {}", client, standing.zone));
}

std::optional<smtp::Reply> AbuseControl::counted(std::optional<smtp::Reply> over_rate) {
  if (over_rate) count(over_rate_);
  return over_rate;
}

std::optional<smtp::Reply> AbuseControl::objection_to_guessing(const base::Origin& origin,
                                                               const AbusePolicy& policy) {
  return counted(rates_.objection_to_guessing(origin, policy.rates, clock_.steady()));
}

void AbuseControl::note_unknown(const base::Origin& origin, const AbusePolicy& policy) {
  rates_.note_unknown(origin, policy.rates, clock_.steady());
}

base::Task<std::optional<smtp::Reply>> AbuseControl::objection_to_admission(
    Admission admission, const AbusePolicy& policy, base::Deadline deadline) {
  const bool is_counted = !admission.origin.network.empty();
  if (policy.greylist.enabled && is_counted && !admission.is_bounce && !admission.is_postmaster) {
    auto wait = co_await greylisted(admission, policy, deadline);
    if (wait) co_return wait;
  }
  co_return objection_to_rate(admission, policy);
}

std::optional<smtp::Reply> AbuseControl::objection_to_rate(const Admission& admission,
                                                           const AbusePolicy& policy) {
  return counted(rates_.take(admission, policy.rates, clock_.steady()));
}

std::optional<smtp::Reply> AbuseControl::objection_to_sender(const std::string& reverse_path,
                                                             const base::Origin* claimed_from,
                                                             const AbusePolicy& policy) {
  return counted(rates_.take_sender(reverse_path, claimed_from, policy.rates, clock_.steady()));
}

std::optional<smtp::Reply> AbuseControl::objection_to_replay(
    const std::vector<mail::DkimVerdict>& signatures, std::size_t copies,
    const AbusePolicy& policy) {
  return counted(rates_.take_signed(signatures, copies, policy.rates, clock_.steady()));
}

base::Task<std::optional<smtp::Reply>> AbuseControl::greylisted(Admission admission,
                                                                const AbusePolicy& policy,
                                                                base::Deadline deadline) {
  ports::GreylistRules rules = policy.greylist.rules;
  const base::Rate& most = policy.greylist.strangers;
  // A network over its limit of strangers gets no new greylist entries: strangers are put off
  // without being stored, those stored before can still pass.
  rules.takes_new = most.count == 0 || strangers_.allows(admission.origin, most, clock_.steady());
  const Standing standing = co_await lists_.standing_of(ip::make_address(admission.origin.client),
                                                        policy.dns_lists, deadline);
  if (standing.score < 0) co_return std::nullopt;
  ports::GreylistKey key =
      greylist_key(admission.origin, admission.reverse_path, admission.forward_path);
  const auto answer = co_await greylist_.see(std::move(key), rules);
  // If the store cannot answer, skip greylisting: storing the message will fail and give the
  // reason.
  if (!answer) co_return std::nullopt;
  if (*answer == ports::GreylistAnswer::First && rules.takes_new && most.count > 0) {
    strangers_.charge(admission.origin, most, clock_.steady(), 1);
  }
  if (*answer == ports::GreylistAnswer::Passed) count(passed_);
  if (!ports::must_wait(*answer)) co_return std::nullopt;
  count(greylisted_);
  co_return smtp::Reply(451, {4, 7, 1},
                        fmt::format("Greylisted, try again in {} seconds", rules.delay.count()));
}

AbuseControl::Totals AbuseControl::totals() const {
  return {.listed = listed_.load(),
          .list_failures = lists_.failures(),
          .greylisted = greylisted_.load(),
          .passed = passed_.load(),
          .over_rate = over_rate_.load()};
}

}  // namespace relay::inbound
