// What lists in the DNS say about a client (RFC 5782): each list adds to a score or takes away from
// it. A list that does not answer, or answers nonsense, says nothing: mail flows, and the log
// tells.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/log.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::inbound {

/// Addresses in 127.0.0.0/8, both ends included.
struct AnswerRange {
  boost::asio::ip::address_v4 first;
  boost::asio::ip::address_v4 last;
};

struct DnsList {
  std::string zone;
  bool allows = false;  ///< a list of good clients: its weight is taken away
  std::uint32_t weight = 10;
  std::vector<AnswerRange> answers;  ///< that count; none: all of 127.0.0.0/8
};

enum class DnsListStage { Connect, Recipient };

struct DnsListPolicy {
  std::vector<DnsList> lists;
  std::int64_t refuse_at = 10;  ///< the score
  DnsListStage at = DnsListStage::Recipient;
};

/// How a client stands in the lists of a policy.
struct Standing {
  std::int64_t score = 0;
  std::string zone;  ///< of the heaviest blocking list that has the client; "": none
};

/// The name that asks `zone` about `address`: octets or nibbles reversed (RFC 5782 §2.1, §2.4).
std::string list_query(const boost::asio::ip::address& address, const std::string& zone);

enum class ListVerdict { NotListed, Listed, Nonsense };

/// Answers outside of 127.0.0.0/8 are of somebody who answers everything, those in 127.255.255.0/24
/// are complaints of the list about who asks it: both are Nonsense.
ListVerdict judge(const DnsList& list, const std::vector<boost::asio::ip::address>& answers);

/// Thread-safe; bounded.
class DnsLists {
 public:
  static constexpr std::size_t kMaxClients = 16'384;
  static constexpr std::chrono::minutes kMemory{5};
  static constexpr std::chrono::minutes kMemoryOfFailure{1};  ///< when a list has not answered
  static constexpr std::chrono::seconds kPatience{5};

  DnsLists(ports::Resolver& resolver, ports::Clock& clock, base::Log& log)
      : resolver_(resolver), clock_(clock), log_(log) {}

  DnsLists(const DnsLists&) = delete;
  DnsLists& operator=(const DnsLists&) = delete;

  /// Asks all lists at once, unless the answer is known. `policy` is not null.
  base::Task<Standing> standing_of(boost::asio::ip::address client,
                                   std::shared_ptr<const DnsListPolicy> policy,
                                   base::Deadline deadline);

  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

  std::size_t size() const;

 private:
  struct Survey;

  struct Known {
    std::string client;
    std::shared_ptr<const DnsListPolicy> policy;  ///< after a reload, others are asked
    Standing standing;
    base::SteadyTime until;
  };

  base::Task<> ask(std::shared_ptr<Survey> survey, std::size_t index);
  base::Task<bool> lists_everybody(std::string zone, base::Deadline deadline);
  base::Task<std::shared_ptr<Survey>> survey(boost::asio::ip::address client,
                                             std::shared_ptr<const DnsListPolicy> policy,
                                             base::Deadline deadline);
  void note_failure(const std::string& zone, std::string_view why);
  std::optional<Standing> recall(const std::string& client,
                                 const std::shared_ptr<const DnsListPolicy>& policy) const;
  void remember(Known known);

  ports::Resolver& resolver_;
  ports::Clock& clock_;
  base::Log& log_;
  std::atomic<std::uint64_t> failures_{0};
  base::RateTable told_{1024};  ///< failures logged, per zone
  mutable std::mutex mutex_;
  std::list<Known> known_;                                                  ///< the newest first
  std::unordered_map<std::string_view, std::list<Known>::iterator> index_;  ///< keys in known_
};

}  // namespace relay::inbound
