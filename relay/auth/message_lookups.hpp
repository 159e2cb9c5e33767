// The lookups of one message. What has been asked is not asked again, whoever of SPF, DKIM, DMARC,
// ARC and iprev asks, and what a stranger's records make us ask is bounded.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

/// How many distinct questions each part may ask. Each has a share of its own and keeps to it by
/// itself, so that only an author's own records can use up what proves that author.
///   MAIL FROM, HELO  spf::kMaxQueries each        60 + 60
///   policies         dmarc::kMaxQueries           18
///   DKIM keys        dkim::kMaxVerified           10
///   ARC keys         arc::kMaxKeyLookups          12
///   iprev            its names and the question   11
struct LookupLimits {
  std::chrono::seconds one{5};     ///< the longest wait for one answer
  std::chrono::seconds whole{20};  ///< … and for all of them, from the first on (RFC 7208 §4.6.4)
};

/// For one shard. Ends no earlier than what it asks.
class MessageLookups final : public ports::Resolver {
 public:
  /// Answers beyond this are not kept, and asked for again by who needs them.
  static constexpr std::size_t kMaxKeptOctets = 262'144;

  /// `inner` and `clock` outlive it.
  MessageLookups(ports::Resolver& inner, ports::Clock& clock, const LookupLimits& limits);

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string domain, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string host, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string host, ports::IpFamily family, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline deadline) override;

  /// When everything ends; for callers that want a deadline of their own.
  base::Deadline end() const { return end_; }

  /// Questions that were asked of the DNS.
  std::size_t asked() const { return asked_; }

 private:
  friend class KnownAnswers;

  template <class T>
  using Answer = std::expected<ports::DnsAnswer<T>, ports::DnsError>;

  template <class T>
  using Book = std::map<std::string, Answer<T>>;  ///< by question

  /// Who waits for the answer to a question that somebody else has asked.
  using Waiters = std::vector<std::move_only_function<void(bool)>>;

  class Turn;

  template <class T>
  base::Task<Answer<T>> look_up(Book<T>& book, std::string question, base::Task<Answer<T>> asking);
  base::Deadline within(base::Deadline deadline) const;

  ports::Resolver& inner_;
  ports::Clock& clock_;
  const LookupLimits limits_;
  const base::Deadline end_;
  std::map<std::string, Waiters> under_way_;  ///< by question
  std::size_t asked_ = 0;
  std::size_t kept_octets_ = 0;
  Book<ports::MxHost> hosts_;
  Book<boost::asio::ip::address> addresses_;
  Book<std::string> texts_;  ///< and names
};

/// What the lookups of a message know by now; asks nothing. What is not known is Temporary.
class KnownAnswers final : public ports::Resolver {
 public:
  /// `lookups` outlive it.
  explicit KnownAnswers(const MessageLookups& lookups) : lookups_(lookups) {}

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string domain, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string host, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string host, ports::IpFamily family, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline deadline) override;

 private:
  const MessageLookups& lookups_;
};

}  // namespace relay::auth
