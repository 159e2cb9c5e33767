#include "tests/forward/house.hpp"

#include <algorithm>

namespace relay::forward::house {

mail::Domain domain(const std::string& text) { return *mail::Domain::parse(text); }

Policy policy() {
  Policy s;
  s.hostname = "mx.relay.example";
  s.domains.push_back(
      {.name = domain("hosted.example"),
       .aliases = {{.local_part = "info", .targets = {mailbox("me@target.example")}}},
       .patterns = {},
       .map_to = {}});
  s.srs.domain = domain("srs.relay.example");
  s.srs.secrets.push_back({.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
  s.dkim.push_back({domain("relay.example"), {}});
  s.dkim.push_back({domain("rewritten.example"), {}});
  s.arc.sealer = ArcSealer{domain("relay.example"), "arc", base::Secret("pem")};
  s.arc.trusted_sealers = {"lists.example"};
  s.rewrite_domain = domain("rewritten.example");
  s.targets = {{.match = "plain.example", .arc = SealWhen::Never},
               {.match = "*.believes.example", .arc = SealWhen::Always},
               {.match = "keeps.example", .arc = {}, .sender = KeepOrSrs::Keep}};
  return s;
}

std::string organisation_of(const std::string& folded_domain, Suffixes suffixes) {
  std::string suffix = folded_domain.ends_with(".co.example") ? ".co.example" : ".example";
  const bool is_customer = folded_domain.ends_with(".pages.example");
  if (is_customer && suffixes == Suffixes::All) suffix = ".pages.example";
  if (!folded_domain.ends_with(suffix)) return folded_domain;
  const std::size_t end = folded_domain.size() - suffix.size();
  const std::size_t dot = folded_domain.rfind('.', end == 0 ? 0 : end - 1);
  return dot == std::string::npos ? folded_domain : folded_domain.substr(dot + 1);
}

Strategy strategy(const Policy& policy) { return *Strategy::make(policy, organisation_of); }

Evidence evidence() {
  Evidence known;
  known.sender = mail::ReversePath(mailbox("bounce@author.example"));
  known.verdicts.mail_from = {.result = mail::SpfResult::Pass, .domain = "author.example"};
  known.verdicts.dkim = {{.result = mail::DkimResult::Pass, .domain = "author.example"}};
  known.verdicts.dmarc = {.result = mail::DmarcResult::Pass,
                          .from_domain = "author.example",
                          .policy_domain = "author.example",
                          .policy = mail::DmarcPolicy::Reject,
                          .spf_aligned = true,
                          .dkim_aligned = true};
  known.egress_spf = mail::SpfResult::Fail;
  known.signing_domain = "relay.example";
  return known;
}

Evidence spoof(const std::string& author, mail::DmarcPolicy policy) {
  Evidence known = evidence();
  known.sender = mail::ReversePath(mailbox("x@" + author));
  known.verdicts.mail_from = {.result = mail::SpfResult::Fail, .domain = author};
  known.verdicts.dkim.clear();
  known.verdicts.dmarc = {.result = mail::DmarcResult::Fail,
                          .from_domain = author,
                          .policy_domain = author,
                          .policy = policy};
  return known;
}

}  // namespace relay::forward::house
