// A resolver that records questions and answers, which `verify` shows.
#pragma once

#include <string>
#include <vector>

#include "relay/ports/resolver.hpp"

namespace relay::app {

struct RecordedAnswer {
  std::string question;              ///< "TXT example.org", "PTR 192.0.2.1"
  std::vector<std::string> records;  ///< as text
  std::string error;                 ///< "": there was an answer
};

/// For one thread.
class RecordedResolver final : public ports::Resolver {
 public:
  explicit RecordedResolver(ports::Resolver& inner) : inner_(inner) {}

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

  /// In the order of the answers.
  const std::vector<RecordedAnswer>& answers() const { return answers_; }

 private:
  template <class T>
  std::expected<ports::DnsAnswer<T>, ports::DnsError> keep(
      std::string question, std::expected<ports::DnsAnswer<T>, ports::DnsError> answer);

  ports::Resolver& inner_;
  std::vector<RecordedAnswer> answers_;
};

}  // namespace relay::app
