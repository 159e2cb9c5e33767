#include "relay/auth/spf/lookups.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "relay/auth/spf/record.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::spf {

namespace {

using boost::asio::ip::address;
using mail::SpfResult;
using ports::DnsError;

/// Macros can expand to names that a resolver does not accept.
bool can_be_asked(const std::string& name) {
  return !name.empty() && name.find('\0') == std::string::npos;
}

std::unexpected<Trouble> too_many(const char* what, std::size_t limit) {
  return std::unexpected(
      Trouble{SpfResult::PermError, fmt::format("more than {} {}", limit, what)});
}

std::unexpected<Trouble> not_now(DnsError error, const std::string& name) {
  return std::unexpected(Trouble{SpfResult::TempError,
                                 fmt::format("{}: {}", in_quotes(name), ports::describe(error))});
}

bool ends_in_digits(std::string_view name) {
  return std::ranges::all_of(name.substr(name.rfind('.') + 1), base::is_digit);
}

/// The octets of a name in presentation format (\DDD, RFC 1035 §5.1). "" when it cannot be a
/// host's: it is an address, or a label contains a dot, which could not be told from a separator.
std::string octets_of(std::string_view name) {
  if (ends_in_digits(name)) return {};
  std::string octets;
  while (!name.empty()) {
    const std::string_view digits = name.substr(1, 3);
    int octet = 0;
    if (name.front() != '\\' || digits.size() < 3 || !std::ranges::all_of(digits, base::is_digit)) {
      octets += name.front();
      name.remove_prefix(1);
      continue;
    }
    std::from_chars(digits.data(), digits.data() + digits.size(), octet);
    if (octet == '.') return {};
    octets += static_cast<char>(octet);
    name.remove_prefix(4);
  }
  return octets;
}

bool is_under(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

}  // namespace

Found<void> Lookups::begin_term() {
  term_is_void_ = false;
  return count_term();
}

Found<void> Lookups::count_term() {
  if (!counting_) return {};
  if (terms_ == kMaxTerms) return too_many("terms with lookups", kMaxTerms);
  ++terms_;
  return {};
}

Found<void> Lookups::count_query(std::string_view type, const std::string& name) {
  std::string question = fmt::format("{} {}", type, base::lower(name));
  if (asked_.contains(question)) return {};
  if (asked_.size() == max_queries_) {
    auto trouble = too_many("DNS queries", max_queries_);
    trouble.error().unfinished = true;
    return trouble;
  }
  asked_.insert(std::move(question));
  return {};
}

Found<void> Lookups::count_void(const std::string& name) {
  if (!counting_ || term_is_void_) return {};
  if (voids_ == kMaxVoids) {
    return std::unexpected(
        Trouble{SpfResult::PermError, fmt::format("more than {} lookups of what does not exist, {}",
                                                  kMaxVoids, in_quotes(name))});
  }
  term_is_void_ = true;
  ++voids_;
  return {};
}

Found<void> Lookups::judge(DnsError error, const std::string& name) {
  if (ports::is_temporary(error)) return not_now(error, name);
  if (error == DnsError::NullMx) return {};
  return count_void(name);
}

base::Task<Found<std::vector<std::string>>> Lookups::texts(std::string name) {
  std::vector<std::string> none;
  if (!can_be_asked(name)) co_return none;
  const auto counted = count_query("txt", name);
  if (!counted) co_return std::unexpected(counted.error());
  auto answer = co_await resolver_.txt(name, deadline_);
  if (answer) co_return std::move(answer->records);
  if (ports::is_temporary(answer.error())) co_return not_now(answer.error(), name);
  co_return none;
}

base::Task<Lookups::Addresses> Lookups::ask_addresses(std::string name, ports::IpFamily family) {
  if (!can_be_asked(name)) co_return std::unexpected(DnsError::NoSuchName);
  co_return co_await resolver_.addresses_of(std::move(name), family, deadline_);
}

base::Task<Found<std::vector<address>>> Lookups::addresses(std::string name) {
  const auto counted = count_query(address_type(), name);
  if (!counted) co_return std::unexpected(counted.error());
  auto answer = co_await ask_addresses(name, family());
  if (answer) co_return std::move(answer->records);
  const auto judged = judge(answer.error(), name);
  if (!judged) co_return std::unexpected(judged.error());
  co_return std::vector<address>{};
}

base::Task<Found<std::vector<address>>> Lookups::mx_addresses(std::string host) {
  std::string name = octets_of(host);
  if (!name.empty()) co_return co_await addresses(std::move(name));
  const auto judged = judge(DnsError::NoSuchName, host);
  if (!judged) co_return std::unexpected(judged.error());
  co_return std::vector<address>{};
}

base::Task<Found<bool>> Lookups::has_v4_address(std::string name) {
  const auto counted = count_query("a", name);
  if (!counted) co_return std::unexpected(counted.error());
  const auto answer = co_await ask_addresses(name, ports::IpFamily::V4);
  if (answer) co_return !answer->records.empty();
  const auto judged = judge(answer.error(), name);
  if (!judged) co_return std::unexpected(judged.error());
  co_return false;
}

base::Task<Found<std::vector<std::string>>> Lookups::mx_names(std::string name) {
  const auto counted = count_query("mx", name);
  if (!counted) co_return std::unexpected(counted.error());
  std::expected<ports::DnsAnswer<ports::MxHost>, DnsError> answer =
      std::unexpected(DnsError::NoSuchName);
  if (can_be_asked(name)) answer = co_await resolver_.mx(name, deadline_);
  std::vector<std::string> names;
  if (!answer) {
    const auto judged = judge(answer.error(), name);
    if (!judged) co_return std::unexpected(judged.error());
    co_return names;
  }
  // An error, however many hosts would have to be looked up until one matches: MX records of equal
  // preference come in any order, and the result must not depend on it.
  if (answer->records.size() > kMaxMxNames) co_return too_many("MX hosts", kMaxMxNames);
  for (auto& host : answer->records) names.push_back(std::move(host.name));
  co_return names;
}

/// If the PTR records cannot be looked up, the client has no names, which is no error (RFC 7208
/// §5.5); only the deadline of the whole evaluation is one.
base::Task<Found<void>> Lookups::find_client_names() {
  Found<void> done;
  if (client_names_) co_return done;
  const auto counted = count_query("ptr", client_.to_string());
  if (!counted) co_return std::unexpected(counted.error());
  auto answer = co_await resolver_.names(client_, deadline_);
  if (!answer && is_late()) {
    co_return not_now(DnsError::Timeout, client_.to_string());
  }
  client_names_.emplace();
  if (!answer) {
    if (ports::is_temporary(answer.error())) co_return done;
    co_return count_void(client_.to_string());
  }
  for (auto& name : answer->records) {
    if (client_names_->size() == kMaxClientNames) break;
    client_names_->push_back({.name = std::move(name)});
  }
  co_return done;
}

/// The client's own network chooses these names: a name whose lookup fails is skipped (RFC 7208
/// §5.5) and not counted as a void lookup, or clients could make a domain's record fail.
base::Task<Found<bool>> Lookups::is_confirmed(ClientName& candidate) {
  if (candidate.confirmed) co_return *candidate.confirmed;
  const auto counted = count_query(address_type(), candidate.name);
  if (!counted) co_return std::unexpected(counted.error());
  const auto answer = co_await ask_addresses(candidate.name, family());
  if (!answer && is_late()) {
    co_return not_now(DnsError::Timeout, candidate.name);
  }
  candidate.confirmed =
      answer && std::ranges::find(answer->records, client_) != answer->records.end();
  co_return *candidate.confirmed;
}

base::Task<Found<bool>> Lookups::client_is_under(std::string name) {
  const auto asked = co_await find_client_names();
  if (!asked) co_return std::unexpected(asked.error());
  const std::string domain = base::lower(name);
  for (ClientName& candidate : *client_names_) {
    if (domain.empty() || !is_under(candidate.name, domain)) continue;
    const auto confirmed = co_await is_confirmed(candidate);
    if (!confirmed || *confirmed) co_return confirmed;
  }
  co_return false;
}

base::Task<Found<std::string>> Lookups::client_name(std::string domain) {
  if (!client_names_) {
    if (const auto counted = count_term(); !counted) co_return std::unexpected(counted.error());
  }
  const auto asked = co_await find_client_names();
  if (!asked) co_return std::unexpected(asked.error());
  const std::string wanted = base::lower(domain);
  const auto rank = [&](const std::string& name) {
    return name == wanted ? 0 : is_under(name, wanted) ? 1 : 2;
  };
  for (const int best : {0, 1, 2}) {
    for (ClientName& candidate : *client_names_) {
      if (rank(candidate.name) != best) continue;
      const auto confirmed = co_await is_confirmed(candidate);
      if (!confirmed) co_return std::unexpected(confirmed.error());
      if (*confirmed) co_return candidate.name;
    }
  }
  co_return std::string();
}

}  // namespace relay::auth::spf
