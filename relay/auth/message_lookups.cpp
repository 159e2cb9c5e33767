#include "relay/auth/message_lookups.hpp"

#include <utility>

#include "relay/base/text.hpp"

namespace relay::auth {

using boost::asio::ip::address;
using ports::DnsAnswer;
using ports::DnsError;
using ports::IpFamily;
using ports::MxHost;

namespace {

constexpr std::size_t kOverhead = 64;  // per answer and per record, in addition to its octets

// A cache key is the record type and the name in lower case, because DNS ignores case.

std::string about_mx(std::string_view domain) { return "mx " + base::lower(domain); }

std::string about_addresses(std::string_view host) { return "any " + base::lower(host); }

std::string about_addresses(std::string_view host, IpFamily family) {
  return (family == IpFamily::V4 ? "a " : "aaaa ") + base::lower(host);
}

std::string about_names(const address& address) { return "ptr " + address.to_string(); }

std::string about_txt(std::string_view name) { return "txt " + base::lower(name); }

std::size_t octets_of(const MxHost& host) { return kOverhead + host.name.size(); }

std::size_t octets_of(const address& /*any*/) { return kOverhead; }

std::size_t octets_of(const std::string& text) { return kOverhead + text.size(); }

template <class T>
std::size_t octets_of(const std::expected<DnsAnswer<T>, DnsError>& answer) {
  std::size_t octets = kOverhead;
  if (answer) {
    for (const T& record : answer->records) octets += octets_of(record);
  }
  return octets;
}

template <class Answer>
Answer known_in(const std::map<std::string, Answer>& book, const std::string& question) {
  const auto found = book.find(question);
  return found == book.end() ? Answer(std::unexpected(DnsError::Temporary)) : found->second;
}

}  // namespace

MessageLookups::MessageLookups(ports::Resolver& inner, ports::Clock& clock,
                               const LookupLimits& limits)
    : inner_(inner), clock_(clock), limits_(limits), end_{clock.steady() + limits.whole} {}

base::Deadline MessageLookups::within(base::Deadline deadline) const {
  return deadline.within(end_).within(base::Deadline{clock_.steady() + limits_.one});
}

/// Marks a question as being asked; end() resumes the tasks that wait for its answer. If the frame
/// is destroyed before end(), the shard has stopped, and the waiting tasks are dropped.
class MessageLookups::Turn {
 public:
  Turn(std::map<std::string, Waiters>& under_way, const std::string& question)
      : under_way_(under_way), place_(under_way.try_emplace(question).first) {}

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  ~Turn() {
    if (!is_over_) const auto dropped = under_way_.extract(place_);
  }

  void end() {
    auto waiting = under_way_.extract(place_);
    is_over_ = true;
    for (auto& resume : waiting.mapped()) resume(true);
  }

 private:
  std::map<std::string, Waiters>& under_way_;
  std::map<std::string, Waiters>::iterator place_;
  bool is_over_ = false;
};

/// Starts `asking` unless the answer is cached or being asked for by another task. If that answer
/// was not cached, the waiting tasks ask again, one after the other.
template <class T>
base::Task<MessageLookups::Answer<T>> MessageLookups::look_up(Book<T>& book, std::string question,
                                                              base::Task<Answer<T>> asking) {
  while (true) {
    if (const auto found = book.find(question); found != book.end()) co_return found->second;
    const auto same = under_way_.find(question);
    if (same == under_way_.end()) break;
    co_await base::await_answer<bool>(
        [&waiters = same->second](auto resume) { waiters.emplace_back(std::move(resume)); });
  }
  Turn turn(under_way_, question);
  ++asked_;
  Answer<T> answer = std::unexpected(DnsError::Temporary);
  try {
    answer = co_await std::move(asking);
    const std::size_t octets = question.size() + octets_of(answer);
    if (kept_octets_ + octets <= kMaxKeptOctets &&
        book.try_emplace(std::move(question), answer).second) {
      kept_octets_ += octets;
    }
  } catch (...) {
    turn.end();
    throw;
  }
  turn.end();
  co_return answer;
}

base::Task<std::expected<DnsAnswer<MxHost>, DnsError>> MessageLookups::mx(std::string domain,
                                                                          base::Deadline deadline) {
  std::string question = about_mx(domain);
  return look_up(hosts_, std::move(question), inner_.mx(std::move(domain), within(deadline)));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> MessageLookups::addresses(
    std::string host, base::Deadline deadline) {
  std::string question = about_addresses(host);
  return look_up(addresses_, std::move(question),
                 inner_.addresses(std::move(host), within(deadline)));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> MessageLookups::addresses_of(
    std::string host, IpFamily family, base::Deadline deadline) {
  std::string question = about_addresses(host, family);
  return look_up(addresses_, std::move(question),
                 inner_.addresses_of(std::move(host), family, within(deadline)));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> MessageLookups::names(
    address address, base::Deadline deadline) {
  return look_up(texts_, about_names(address), inner_.names(address, within(deadline)));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> MessageLookups::txt(
    std::string name, base::Deadline deadline) {
  std::string question = about_txt(name);
  return look_up(texts_, std::move(question), inner_.txt(std::move(name), within(deadline)));
}

base::Task<std::expected<DnsAnswer<MxHost>, DnsError>> KnownAnswers::mx(
    std::string domain, base::Deadline /*deadline*/) {
  co_return known_in(lookups_.hosts_, about_mx(domain));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> KnownAnswers::addresses(
    std::string host, base::Deadline /*deadline*/) {
  co_return known_in(lookups_.addresses_, about_addresses(host));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> KnownAnswers::addresses_of(
    std::string host, IpFamily family, base::Deadline /*deadline*/) {
  co_return known_in(lookups_.addresses_, about_addresses(host, family));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> KnownAnswers::names(
    address address, base::Deadline /*deadline*/) {
  co_return known_in(lookups_.texts_, about_names(address));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> KnownAnswers::txt(
    std::string name, base::Deadline /*deadline*/) {
  co_return known_in(lookups_.texts_, about_txt(name));
}

}  // namespace relay::auth
