#include "relay/inbound/dns_lists.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "relay/base/errands.hpp"

namespace relay::inbound {

namespace ip = boost::asio::ip;

namespace {

constexpr base::Rate kTelling{.count = 1, .span = std::chrono::minutes(1)};

bool is_complaint(const ip::address_v4& answer) {
  const auto octets = answer.to_bytes();
  return octets[0] != 127 || (octets[1] == 255 && octets[2] == 255);
}

bool counts(const DnsList& list, const ip::address_v4& answer) {
  return list.answers.empty() || std::ranges::any_of(list.answers, [&](const AnswerRange& range) {
           return range.first <= answer && answer <= range.last;
         });
}

}  // namespace

std::string list_query(const ip::address& address, const std::string& zone) {
  std::string name;
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
      name += std::to_string(*octet) + '.';
    }
    return name + zone;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto octets = address.to_v6().to_bytes();
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    for (const unsigned nibble : {*octet & 0xFU, *octet / 16U}) {
      name += kDigits[nibble];
      name += '.';
    }
  }
  return name + zone;
}

ListVerdict judge(const DnsList& list, const std::vector<ip::address>& answers) {
  bool listed = false;
  for (const ip::address& answer : answers) {
    if (!answer.is_v4() || is_complaint(answer.to_v4())) return ListVerdict::Nonsense;
    listed = listed || counts(list, answer.to_v4());
  }
  return listed ? ListVerdict::Listed : ListVerdict::NotListed;
}

/// The queries about one client, under way on one shard.
struct DnsLists::Survey {
  Survey(ip::address about, std::shared_ptr<const DnsListPolicy> asked, base::Deadline ends)
      : client(std::move(about)), policy(std::move(asked)), deadline(ends) {}

  void note(const DnsList& list) {
    const std::int64_t weight = list.weight;
    standing.score += list.allows ? -weight : weight;
    if (list.allows || weight <= heaviest) return;
    heaviest = weight;
    standing.zone = list.zone;
  }

  const ip::address client;
  const std::shared_ptr<const DnsListPolicy> policy;
  const base::Deadline deadline;
  Standing standing;
  std::int64_t heaviest = 0;
  bool complete = true;
};

base::Task<> DnsLists::ask(std::shared_ptr<Survey> survey, std::size_t index) {
  const DnsList& list = survey->policy->lists.at(index);
  std::string name = list_query(survey->client, list.zone);
  const auto answer =
      co_await resolver_.addresses_of(std::move(name), ports::IpFamily::V4, survey->deadline);
  if (!answer) {
    if (!ports::is_temporary(answer.error())) co_return;
    survey->complete = false;
    note_failure(list.zone, ports::describe(answer.error()));
    co_return;
  }
  const ListVerdict verdict = judge(list, answer->records);
  if (verdict == ListVerdict::NotListed) co_return;
  std::string trouble = "answers with an error: " + answer->records.front().to_string();
  if (verdict == ListVerdict::Listed) {
    const bool everybody = co_await lists_everybody(list.zone, survey->deadline);
    if (!everybody) {
      survey->note(list);
      co_return;
    }
    trouble = "lists 127.0.0.1, and so everybody";
  }
  survey->complete = false;
  note_failure(list.zone, trouble);
}

/// RFC 5782 §5: no list contains 127.0.0.1. If it is listed, the zone answers every query, as
/// abandoned zones do. The resolver caches the answer.
base::Task<bool> DnsLists::lists_everybody(std::string zone, base::Deadline deadline) {
  std::string name = list_query(ip::address_v4::loopback(), zone);
  const auto answer =
      co_await resolver_.addresses_of(std::move(name), ports::IpFamily::V4, deadline);
  co_return answer.has_value() && !answer->records.empty();
}

base::Task<std::shared_ptr<DnsLists::Survey>> DnsLists::survey(
    ip::address client, std::shared_ptr<const DnsListPolicy> policy, base::Deadline deadline) {
  const base::Executor executor = co_await boost::asio::this_coro::executor;
  const auto begun = std::make_shared<Survey>(std::move(client), std::move(policy), deadline);
  base::Errands questions(executor);
  for (std::size_t i = 0; i < begun->policy->lists.size(); ++i) {
    try {
      questions.send("dns list", ask(begun, i));
    } catch (const std::bad_alloc&) {
      begun->complete = false;
    }
  }
  while (questions.open() > 0) co_await questions.next_end();
  if (questions.any_failed()) begun->complete = false;
  co_return begun;
}

base::Task<Standing> DnsLists::standing_of(ip::address client,
                                           std::shared_ptr<const DnsListPolicy> policy,
                                           base::Deadline deadline) {
  if (policy->lists.empty()) co_return Standing{};
  std::string name = client.to_string();
  if (auto known = recall(name, policy)) co_return std::move(*known);
  deadline = deadline.within(base::Deadline{clock_.steady() + kPatience});
  const auto done = co_await survey(std::move(client), policy, deadline);
  const base::SteadyTime until = clock_.steady() + (done->complete ? kMemory : kMemoryOfFailure);
  remember({std::move(name), std::move(policy), done->standing, until});
  co_return done->standing;
}

void DnsLists::note_failure(const std::string& zone, std::string_view why) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (!told_.take(zone, kTelling, clock_.steady())) return;
  log_.write(std::move(base::Event("dns_list", clock_.wall(), base::Severity::Warning)
                           .text("zone", zone)
                           .text("problem", why)));
}

std::optional<Standing> DnsLists::recall(const std::string& client,
                                         const std::shared_ptr<const DnsListPolicy>& policy) const {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(client);
  if (found == index_.end()) return std::nullopt;
  const Known& known = *found->second;
  if (known.policy != policy || known.until <= clock_.steady()) return std::nullopt;
  return known.standing;
}

void DnsLists::remember(Known known) {
  const std::lock_guard lock(mutex_);
  const auto drop = [this](std::list<Known>::iterator old) {
    index_.erase(old->client);
    known_.erase(old);
  };
  if (const auto old = index_.find(known.client); old != index_.end()) drop(old->second);
  if (known_.size() >= kMaxClients) drop(std::prev(known_.end()));
  known_.push_front(std::move(known));
  try {
    index_.emplace(known_.front().client, known_.begin());
  } catch (const std::bad_alloc&) {
    known_.pop_front();
    throw;
  }
}

std::size_t DnsLists::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace relay::inbound
