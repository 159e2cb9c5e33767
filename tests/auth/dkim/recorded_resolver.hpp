// DNS as it was recorded beside a message: TXT records by name, octet for octet. FakeResolver's
// zone text cannot hold quotes or control octets; the answers of strangers can.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "relay/base/text.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::dkim {

class RecordedResolver final : public ports::Resolver {
 public:
  using Texts = std::expected<std::vector<std::string>, ports::DnsError>;

  /// A name that is not set is NoSuchName, or what otherwise() says.
  void set(const std::string& name, Texts texts) { answers_[base::lower(name)] = std::move(texts); }

  void otherwise(Texts texts) { otherwise_ = std::move(texts); }

  /// Names asked for, in order.
  const std::vector<std::string>& asked() const { return asked_; }

  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline) override {
    asked_.push_back(name);
    const auto found = answers_.find(base::lower(name));
    const Texts& texts = found == answers_.end() ? otherwise_ : found->second;
    if (!texts) co_return std::unexpected(texts.error());
    co_return ports::DnsAnswer<std::string>{.records = *texts};
  }

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string, base::Deadline) override {
    co_return std::unexpected(ports::DnsError::NoData);
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string, base::Deadline) override {
    co_return std::unexpected(ports::DnsError::NoData);
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string, ports::IpFamily, base::Deadline) override {
    co_return std::unexpected(ports::DnsError::NoData);
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address, base::Deadline) override {
    co_return std::unexpected(ports::DnsError::NoData);
  }

 private:
  std::map<std::string, Texts> answers_;
  Texts otherwise_ = std::unexpected(ports::DnsError::NoSuchName);
  std::vector<std::string> asked_;
};

}  // namespace relay::auth::dkim
