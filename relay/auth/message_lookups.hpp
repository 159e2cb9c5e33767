// The DNS lookups of one message. SPF, DKIM, DMARC, ARC and iprev share the answers, so that no
// question is asked twice; the number of questions that foreign records can cause is limited
// (guarantee "Lookups for a message are bounded").
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "relay/mail/lookup_time.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

/// Most distinct questions of each part. Each part counts its own share, so that only the author's
/// own domain can use up the lookups that prove the author.
///   SPF of MAIL FROM  spf::kMaxQueries            100; for the null sender HELO has this share
///   SPF of HELO       spf::kMaxHeloQueries         20; of both together 120
///   policies          dmarc::kMaxQueries           18
///   DKIM keys         dkim::kMaxVerified           10
///   ARC keys          arc::kMaxKeyLookups          12; of keys and policies 40
///   iprev             its names and the question   11
struct LookupLimits {
  std::chrono::seconds one{5};  ///< the longest wait for one answer
  /// … and for all answers together, from the first question on
  std::chrono::seconds whole = mail::kLookupTime;
};

/// Belongs to one shard. Must outlive its running lookups.
class MessageLookups final : public ports::Resolver {
 public:
  /// Octets of answers that are kept; further answers are not cached and may be asked for again.
  static constexpr std::size_t kMaxKeptOctets = 262'144;

  /// `inner` and `clock` must outlive this object.
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

  /// When all lookups of the message must end; for callers that set deadlines of their own.
  base::Deadline end() const { return end_; }

  /// Number of questions sent to `inner`.
  std::size_t asked() const { return asked_; }

 private:
  friend class KnownAnswers;

  template <class T>
  using Answer = std::expected<ports::DnsAnswer<T>, ports::DnsError>;

  template <class T>
  using Book = std::map<std::string, Answer<T>>;  ///< by question

  /// Tasks that wait for the answer to a question that another task has asked.
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
  Book<std::string> texts_;  ///< TXT and PTR answers
};

/// Answers from what a MessageLookups has cached, without asking anybody; anything else is
/// Temporary.
class KnownAnswers final : public ports::Resolver {
 public:
  /// `lookups` must outlive this object.
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
