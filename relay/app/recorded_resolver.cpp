#include "relay/app/recorded_resolver.hpp"

#include <utility>

namespace relay::app {

using boost::asio::ip::address;
using ports::DnsAnswer;
using ports::DnsError;

namespace {

std::string text_of(const ports::MxHost& host) {
  return std::to_string(host.preference) + ' ' + host.name;
}

std::string text_of(const address& record) { return record.to_string(); }

std::string text_of(const std::string& record) { return record; }

}  // namespace

template <class T>
std::expected<DnsAnswer<T>, DnsError> RecordedResolver::keep(
    std::string question, std::expected<DnsAnswer<T>, DnsError> answer) {
  RecordedAnswer& kept = answers_.emplace_back();
  kept.question = std::move(question);
  if (!answer) {
    kept.error = ports::describe(answer.error());
  } else {
    for (const T& record : answer->records) kept.records.push_back(text_of(record));
  }
  return answer;
}

base::Task<std::expected<DnsAnswer<ports::MxHost>, DnsError>> RecordedResolver::mx(
    std::string domain, base::Deadline deadline) {
  std::string question = "MX " + domain;
  auto answer = co_await inner_.mx(std::move(domain), deadline);
  co_return keep(std::move(question), std::move(answer));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> RecordedResolver::addresses(
    std::string host, base::Deadline deadline) {
  std::string question = "A+AAAA " + host;
  auto answer = co_await inner_.addresses(std::move(host), deadline);
  co_return keep(std::move(question), std::move(answer));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> RecordedResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline deadline) {
  std::string question = (family == ports::IpFamily::V4 ? "A " : "AAAA ") + host;
  auto answer = co_await inner_.addresses_of(std::move(host), family, deadline);
  co_return keep(std::move(question), std::move(answer));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> RecordedResolver::names(
    address address, base::Deadline deadline) {
  std::string question = "PTR " + address.to_string();
  auto answer = co_await inner_.names(address, deadline);
  co_return keep(std::move(question), std::move(answer));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> RecordedResolver::txt(
    std::string name, base::Deadline deadline) {
  std::string question = "TXT " + name;
  auto answer = co_await inner_.txt(std::move(name), deadline);
  co_return keep(std::move(question), std::move(answer));
}

}  // namespace relay::app
