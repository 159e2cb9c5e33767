#include "relay/auth/spf/evaluator.hpp"

#include <algorithm>

namespace relay::auth::spf {

namespace {

using boost::asio::ip::address;
using mail::SpfResult;

Finding ended(Trouble trouble) {
  return {.result = trouble.result,
          .problem = std::move(trouble.problem),
          .unfinished = trouble.unfinished};
}

/// If another record refers to this domain, a missing record is an error (RFC 7208 §5.2, §6.1).
Trouble demanded(Trouble trouble, const std::string& domain) {
  if (trouble.result != SpfResult::None) return trouble;
  return {SpfResult::PermError, "no SPF record at " + in_quotes(domain)};
}

}  // namespace

base::Task<Finding> Evaluator::check_host(std::string domain) {
  for (bool redirected = false;; redirected = true) {
    auto record = co_await fetch(domain);
    if (!record) {
      co_return ended(redirected ? demanded(record.error(), domain) : record.error());
    }
    const auto match = co_await first_match(*record, domain);
    if (!match) co_return ended(match.error());
    if (const Directive* directive = *match) {
      co_return Finding{.result = directive->result,
                        .directive = directive->text,
                        .domain = std::move(domain),
                        .explanation = std::move(record->explanation)};
    }
    if (!record->redirect) {
      co_return Finding{.result = SpfResult::Neutral, .domain = std::move(domain)};
    }
    if (auto counted = lookups_.begin_term(); !counted) co_return ended(counted.error());
    auto target = co_await name_of(*record->redirect, domain);
    if (!target) co_return ended(target.error());
    domain = std::move(*target);
  }
}

base::Task<Found<Record>> Evaluator::fetch(std::string domain) {
  const Trouble none{.result = SpfResult::None};
  if (!may_have_record(domain)) co_return std::unexpected(none);
  const auto texts = co_await lookups_.texts(domain);
  if (!texts) co_return std::unexpected(texts.error());
  const auto text = select_record(*texts);
  if (!text && text.error() == NotOne::NoRecord) co_return std::unexpected(none);
  if (!text) {
    co_return std::unexpected(
        Trouble{SpfResult::PermError, "several SPF records at " + in_quotes(domain)});
  }
  auto record = parse_record(**text);
  if (!record) {
    co_return std::unexpected(
        Trouble{SpfResult::PermError, record.error() + ", record of " + in_quotes(domain)});
  }
  drop_undecisive(*record);
  co_return std::move(*record);
}

/// Keeps only directives that can decide. Of those without lookups that is the first match, and
/// nothing after it; of those with lookups at most one more than kMaxTerms, which gives the error.
/// So the memory held during lookups does not grow with the record, which may have 64 KiB.
void Evaluator::drop_undecisive(Record& record) const {
  std::size_t lookups = 0;
  bool ended = false;
  std::erase_if(record.directives, [&](const Directive& directive) {
    if (ended) return true;
    if (causes_lookups(directive.mechanism)) {
      ended = ++lookups > kMaxTerms;
      return false;
    }
    ended = directive.mechanism == Mechanism::All ||
            within(query_.client, directive.network, directive.prefix);
    return !ended;
  });
  record.directives.shrink_to_fit();
}

base::Task<Found<const Directive*>> Evaluator::first_match(const Record& record,
                                                           const std::string& domain) {
  for (const Directive& directive : record.directives) {
    if (!causes_lookups(directive.mechanism)) co_return &directive;
    const auto matched = co_await matches(directive, domain);
    if (!matched) co_return std::unexpected(matched.error());
    if (*matched) co_return &directive;
  }
  const Directive* none = nullptr;
  co_return none;
}

base::Task<Found<bool>> Evaluator::matches(const Directive& directive, const std::string& domain) {
  if (const auto counted = lookups_.begin_term(); !counted) {
    co_return std::unexpected(counted.error());
  }
  Found<std::string> name = domain;
  if (directive.domain) name = co_await name_of(*directive.domain, domain);
  if (!name) co_return std::unexpected(name.error());
  switch (directive.mechanism) {
    case Mechanism::Include:
      co_return co_await include_matches(std::move(*name));
    case Mechanism::A:
      co_return co_await address_matches(directive, std::move(*name));
    case Mechanism::Mx:
      co_return co_await mx_matches(directive, std::move(*name));
    case Mechanism::Ptr:
      co_return co_await lookups_.client_is_under(std::move(*name));
    default:
      co_return co_await lookups_.has_v4_address(std::move(*name));
  }
}

bool Evaluator::any_matches(const Directive& directive,
                            const std::vector<address>& addresses) const {
  return std::ranges::any_of(
      addresses, [&](const address& one) { return within(query_.client, one, directive.prefix); });
}

base::Task<Found<bool>> Evaluator::address_matches(const Directive& directive, std::string name) {
  const auto addresses = co_await lookups_.addresses(std::move(name));
  if (!addresses) co_return std::unexpected(addresses.error());
  co_return any_matches(directive, *addresses);
}

base::Task<Found<bool>> Evaluator::mx_matches(const Directive& directive, std::string name) {
  const auto hosts = co_await lookups_.mx_names(std::move(name));
  if (!hosts) co_return std::unexpected(hosts.error());
  for (const std::string& host : *hosts) {
    const auto addresses = co_await lookups_.mx_addresses(host);
    if (!addresses) co_return std::unexpected(addresses.error());
    if (any_matches(directive, *addresses)) co_return true;
  }
  co_return false;
}

/// RFC 7208 §5.2: only a Pass of the included record matches; its errors are errors here, too.
base::Task<Found<bool>> Evaluator::include_matches(std::string name) {
  const Finding inner = co_await check_host(name);
  switch (inner.result) {
    case SpfResult::Pass:
      co_return true;
    case SpfResult::None:
    case SpfResult::TempError:
    case SpfResult::PermError:
      co_return std::unexpected(demanded({inner.result, inner.problem, inner.unfinished}, name));
    default:
      co_return false;
  }
}

base::Task<Found<std::string>> Evaluator::name_of(const MacroString& macros,
                                                  const std::string& domain) {
  MacroValues known = values(domain);
  if (!macros.names_client()) co_return macros.expand_name(known);
  const auto client_name = co_await lookups_.client_name(domain);
  if (!client_name) co_return std::unexpected(client_name.error());
  known.client_name = *client_name;
  co_return macros.expand_name(known);
}

base::Task<std::string> Evaluator::explanation_of(const Finding& finding) {
  std::string none;
  if (finding.result != SpfResult::Fail || !finding.explanation) co_return none;
  lookups_.stop_counting();
  const auto name = co_await name_of(*finding.explanation, finding.domain);
  if (!name) co_return none;
  const auto texts = co_await lookups_.texts(*name);
  if (!texts || texts->size() != 1) co_return none;
  if (texts->front().size() > kMaxTermOctets) co_return none;
  const auto macros = MacroString::parse(texts->front(), MacroUse::Explanation);
  if (!macros) co_return none;
  MacroValues known = values(finding.domain);
  Found<std::string> client_name;
  if (macros->names_client()) client_name = co_await lookups_.client_name(finding.domain);
  if (client_name) known.client_name = *client_name;
  co_return macros->expand_text(known).value_or(none);
}

MacroValues Evaluator::values(const std::string& domain) const {
  return {.local_part = query_.mail_from->local_part,
          .sender_domain = query_.mail_from->domain,
          .domain = domain,
          .client = query_.client,
          .helo = query_.helo,
          .receiver = query_.receiver,
          .now = now_,
          .client_name = {}};
}

}  // namespace relay::auth::spf
