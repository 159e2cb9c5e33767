// How copies leave, and who gets our notices: [risk], [[target]], [bounces].
#include <algorithm>
#include <array>
#include <set>

#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"
#include "relay/mail/notice_policy.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

using forward::KeepOrSrs;
using forward::Policy;
using forward::RiskPool;
using forward::SealWhen;
using forward::Target;
using mail::NoticePolicy;
using mail::NoticesTo;
using mail::PartialFailures;

namespace {

const std::vector<std::pair<std::string, KeepOrSrs>> kSenders{{"srs", KeepOrSrs::Srs},
                                                              {"keep", KeepOrSrs::Keep}};

/// Whether a field means something to a next hop or a mail program, or may be covered by a
/// signature: one more of it in front of a message would change the message.
bool has_meaning(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "From",     "Sender",         "Reply-To",    "To",         "Cc",
      "Bcc",      "Date",           "Subject",     "Message-ID", "Return-Path",
      "Received", "DKIM-Signature", "MIME-Version"};
  static constexpr std::array<std::string_view, 6> kFamilies = {
      "ARC-", "Authentication-Results", "Content-", "Resent-", "List-", "Received-"};
  return std::ranges::any_of(kNames,
                             [&](auto one) { return base::equal_ignoring_case(one, name); }) ||
         std::ranges::any_of(kFamilies,
                             [&](auto one) { return base::starts_with_ignoring_case(name, one); });
}

/// True for "Name: value" on one line of printable ASCII (RFC 5322 §2.2).
bool is_field(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || text.size() > 200) return false;
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return printable && text.substr(0, colon).find(' ') == std::string_view::npos &&
         text.find_first_not_of(' ', colon + 1) != std::string_view::npos;
}

void read_tag(Section& section, std::string& tag) {
  std::string field = tag;
  section.text("tag", field);
  if (!is_field(field)) {
    section.problem("tag", ProblemCode::Value,
                    "expected a header field on one line such as \"X-Spam-Flag: YES\"");
  } else if (has_meaning(field.substr(0, field.find(':')))) {
    section.problem("tag", ProblemCode::Value,
                    "a field of that name would change what the message says; take one in X-");
  } else {
    tag = std::move(field);
  }
}

void read_sources(Section& section, std::vector<std::string>& sources) {
  section.texts("source", sources);
  int of_family[2] = {0, 0};
  for (const std::string& source : sources) {
    if (!is_ip(source)) {
      section.problem("source", ProblemCode::Value, "not an IP address: \"" + source + '"');
    } else if (++of_family[source.find(':') != std::string::npos ? 1 : 0] > 1) {
      section.problem("source", ProblemCode::Value, "at most one address of each family");
    }
  }
}

void read_risk(Section& root, RiskPool& risk) {
  auto section = root.table("risk");
  if (!section) return;
  read_sources(*section, risk.source);
  section->number("connections", risk.connections, 1, 1000);
  section->rate("rate", risk.rate);
  if (risk.rate.count == 0) {
    section->problem("rate", ProblemCode::Value, "must be greater than zero");
  }
  section->domain("srs_domain", risk.srs_domain);
  section->choice("sender", risk.sender, kSenders);
  read_tag(*section, risk.tag);
  section->finish();
}

void read_targets(Section& root, Policy& policy) {
  std::set<std::string> seen;
  for (Section& section : root.tables("target")) {
    Target target;
    target.match = read_match(section);
    if (!seen.insert(target.match).second) {
      section.problem("match", ProblemCode::Duplicate, target.match + " stands above");
    }
    SealWhen arc{};
    section.choice("arc", arc,
                   {{"always", SealWhen::Always},
                    {"when-useful", SealWhen::WhenUseful},
                    {"never", SealWhen::Never}});
    if (section.has("arc")) target.arc = arc;
    section.choice("sender", target.sender, kSenders);
    section.finish();
    if (target.arc == SealWhen::Always && !policy.arc.sealer) {
      section.problem("arc", ProblemCode::Missing, "sealing needs a key in [arc]");
    }
    policy.targets.push_back(std::move(target));
  }
}

void read_notices(Section& root, bool verifies, const Policy& policy, NoticePolicy& notices) {
  auto section = root.table("bounces");
  if (section) {
    section->choice("to", notices.to,
                    {{"authenticated", NoticesTo::Authenticated}, {"anyone", NoticesTo::Anyone}});
    section->choice("partial", notices.partial,
                    {{"sender", PartialFailures::Sender},
                     {"postmaster", PartialFailures::Postmaster},
                     {"none", PartialFailures::Nobody}});
    section->finish();
    if (notices.partial == PartialFailures::Postmaster && !policy.defaults.postmaster) {
      section->problem("partial", ProblemCode::Missing,
                       "\"postmaster\" needs [defaults] postmaster, who then hears of it");
    }
  }
  // Losing all bounces silently must be an explicit decision of the operator.
  if (!verifies && notices.to == NoticesTo::Authenticated) {
    const std::string why =
        "with auth.verify = false no sender is ever authenticated, so that nobody would hear of a "
        "failure: say bounces.to = \"anyone\", or verify";
    (section ? *section : root).problem(section ? "to" : "auth", ProblemCode::Value, why);
  }
}

}  // namespace

void read_leaving(Section& root, bool verifies, Policy& policy, NoticePolicy& notices) {
  read_risk(root, policy.risk);
  read_targets(root, policy);
  read_notices(root, verifies, policy, notices);
}

}  // namespace relay::settings
