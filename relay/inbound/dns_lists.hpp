// What DNS lists say about a client (RFC 5782): each list adds its weight to a score or subtracts
// it. A list that does not answer, or answers nonsense, has no effect but a line in the log
// (guarantee "A list that fails lets mail flow").
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
  bool allows = false;  ///< a list of good clients: its weight is subtracted
  std::uint32_t weight = 0;
  std::vector<AnswerRange> answers;  ///< answers that count as listed; empty: all of 127.0.0.0/8
};

enum class DnsListStage { Connect, Recipient };

struct DnsListPolicy {
  std::vector<DnsList> lists;
  std::int64_t refuse_at = 0;  ///< score from which the client is refused
  DnsListStage at = {};
};

/// What the lists of a policy say about a client.
struct Standing {
  std::int64_t score = 0;
  std::string zone;  ///< the blocking list with the most weight that lists the client; "": none
};

/// The name that asks `zone` about `address`: octets or nibbles reversed (RFC 5782 §2.1, §2.4).
std::string list_query(const boost::asio::ip::address& address, const std::string& zone);

enum class ListVerdict { NotListed, Listed, Nonsense };

/// Nonsense: an answer outside 127.0.0.0/8 (wildcard DNS), or in 127.255.255.0/24 (the list refuses
/// our queries).
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

  /// Asks all lists at once, unless the result is remembered. `policy` is not null.
  base::Task<Standing> standing_of(boost::asio::ip::address client,
                                   std::shared_ptr<const DnsListPolicy> policy,
                                   base::Deadline deadline);

  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

  std::size_t size() const;

 private:
  struct Survey;

  struct Known {
    std::string client;
    std::shared_ptr<const DnsListPolicy> policy;  ///< by identity: a reload asks the lists again
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
  base::RateTable told_{1024};  ///< limits the log to one failure of a zone a minute
  mutable std::mutex mutex_;
  std::list<Known> known_;                                                  ///< the newest first
  std::unordered_map<std::string_view, std::list<Known>::iterator> index_;  ///< by known_'s keys
};

}  // namespace relay::inbound
