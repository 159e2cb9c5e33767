// Guarantee "The anti-laundering invariant": mail whose author was not proven on arrival never
// leaves under an SPF or DKIM identity of ours that is aligned with that author. Every combination
// of verdicts, senders, authors, settings and targets is tried; what counts as a breach is worked
// out here anew, not by asking the code under test.
#include <algorithm>
#include <functional>
#include <map>

#include <gmock/gmock.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using mail::ArcResult;
using mail::DkimResult;
using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::SpfResult;

// All arrivals take five minutes with the address sanitizer; there it is every seventh, elsewhere
// all.
#if __has_feature(address_sanitizer)
constexpr int kStride = 7;
#else
constexpr int kStride = 1;
#endif

const std::string kClient = "192.0.2.7";
constexpr base::WallTime kNow{std::chrono::seconds(1'795'500'000)};

/// A copy as it leaves, with its names.
struct Departure {
  bool refused = false;
  mail::ReversePath sender;
  bool new_author = false;
  std::string signed_by;
};

/// Of the one copy in the plan.
Departure departure_of(const std::expected<Plan, PlanRefusal>& plan) {
  if (!plan) return {.refused = true};
  const mail::Route& route = plan->routes.front();
  return {.refused = false,
          .sender = route.reverse_path,
          .new_author = route.handling.new_author,
          .signed_by = plan->signed_by};
}

bool aligned(const std::string& a, const std::string& b) {
  return !a.empty() && house::organisation_of(a) == house::organisation_of(b);
}

/// Whether the author's domain vouched for this message on arrival.
bool was_proven(const Evidence& known) {
  const auto& dmarc = known.verdicts.dmarc;
  if (dmarc.result == DmarcResult::Pass) {
    return dmarc.spf_aligned || dmarc.dkim_aligned || dmarc.from_domain.empty();
  }
  // The policy could not be looked up, but the author's very domain vouches.
  if (dmarc.result == DmarcResult::TempError || dmarc.result == DmarcResult::PermError) {
    return dmarc.spf_aligned || dmarc.dkim_aligned;
  }
  if (dmarc.result != DmarcResult::None || dmarc.from_domain.empty()) return false;
  const auto& spf = known.verdicts.spf(known.sender.is_null());
  if (spf.result == SpfResult::Pass && aligned(spf.domain, dmarc.from_domain)) return true;
  for (const auto& one : known.verdicts.dkim) {
    const bool counts = one.result == DkimResult::Pass && !one.testing;
    if (counts && aligned(one.domain, dmarc.from_domain)) return true;
  }
  return false;
}

/// Signed for its author, but with a key in testing: no proof, and no forgery either.
bool is_in_testing(const Evidence& known) {
  const auto& dmarc = known.verdicts.dmarc;
  if (dmarc.from_domain.empty()) return false;
  return dmarc.reserved_aligned ||
         (dmarc.result == DmarcResult::None && known.verdicts.dkim.front().testing &&
          aligned(known.verdicts.dkim.front().domain, dmarc.from_domain));
}

bool is_hosted(const std::string& name, const Policy& config) {
  return std::ranges::any_of(config.domains, [&](const HostedDomain& domain) {
    const std::string& one = domain.name.folded();
    return name.ends_with('.' + one) || (name == one && !domain.is_wildcard);
  });
}

/// A domain that surely authorises us: one of ours, or below it.
bool is_own(const std::string& name, const Policy& config) {
  if (is_hosted(name, config)) return true;
  std::vector<std::string> own{config.hostname};
  for (const mail::Domain& domain : config.srs_domains()) own.push_back(domain.folded());
  return std::ranges::any_of(
      own, [&](const std::string& one) { return name == one || name.ends_with('.' + one); });
}

/// Whether a name could be taken for the author's; true if the author is unknown. A notice of a
/// mail system may name nobody.
bool speaks_for(const std::string& name, const mail::DmarcVerdict& dmarc, bool is_notice) {
  if (dmarc.names_nobody && is_notice) return false;
  if (dmarc.from_domain.empty() && dmarc.several_from.empty()) return true;
  return aligned(name, dmarc.from_domain) ||
         std::ranges::any_of(dmarc.several_from,
                             [&](const std::string& author) { return aligned(name, author); });
}

/// "" or what is wrong.
std::string breach(const Evidence& known, const Policy& config, const Departure& leaves) {
  if (leaves.refused || was_proven(known)) return "";
  const mail::DmarcVerdict& dmarc = known.verdicts.dmarc;
  if (leaves.new_author) return "an unproven author got a name of ours";
  if (!leaves.signed_by.empty() && speaks_for(leaves.signed_by, dmarc, known.sender.is_null())) {
    return "signed by an aligned domain";
  }
  std::string envelope = config.hostname;  // HELO, for the null sender
  bool passes = true;                      // SPF, for our addresses; unless known otherwise
  if (!leaves.sender.is_null()) {
    envelope = leaves.sender.mailbox().domain().folded();
    if (leaves.sender == known.sender) {
      passes = known.egress_spf != SpfResult::Fail || is_own(envelope, config);
    }
  }
  return passes && speaks_for(envelope, dmarc, known.sender.is_null()) ? "sent by an aligned domain"
                                                                       : "";
}

struct Arrival {
  Evidence known;
  DmarcSettings dmarc;
  std::string target;
};

/// Every result, each with the policies and alignments that can make a difference, and some that
/// contradict the result.
std::vector<mail::DmarcVerdict> dmarc_verdicts(const std::string& author) {
  std::vector<mail::DmarcVerdict> all;
  for (const bool spf : {false, true}) {
    for (const bool dkim : {false, true}) {
      for (const auto policy : {DmarcPolicy::None, DmarcPolicy::Reject}) {
        all.push_back({.result = DmarcResult::Pass,
                       .policy = policy,
                       .spf_aligned = spf,
                       .dkim_aligned = dkim});
      }
    }
  }
  for (const auto policy : {DmarcPolicy::None, DmarcPolicy::Quarantine, DmarcPolicy::Reject}) {
    all.push_back({.result = DmarcResult::Fail, .policy = policy});
    all.push_back({.result = DmarcResult::Fail, .policy = policy, .reserved_aligned = true});
    all.push_back({.result = DmarcResult::Fail, .policy = policy, .unfinished = true});
  }
  all.push_back({.result = DmarcResult::Fail, .spf_aligned = true, .dkim_aligned = true});
  all.push_back({.result = DmarcResult::TempError, .dkim_aligned = true});
  for (const auto result : {DmarcResult::None, DmarcResult::TempError, DmarcResult::PermError}) {
    all.push_back({.result = result});
  }
  for (mail::DmarcVerdict& one : all) one.from_domain = author;
  return all;
}

const std::vector<DmarcSettings>& wishes() {
  static const std::vector<DmarcSettings> kAll{
      {OnDmarcFail::Policy, Quarantine::RiskPool, RewriteFrom::WhenNeeded},
      {OnDmarcFail::Policy, Quarantine::Tag, RewriteFrom::Never},
      {OnDmarcFail::Forward, Quarantine::RiskPool, RewriteFrom::WhenNeeded},
      {OnDmarcFail::Hold, Quarantine::RiskPool, RewriteFrom::Never}};
  return kAll;
}

/// Each signer with a key that is in testing, and with one that is not, as far as both are
/// possible.
std::vector<std::pair<std::string, bool>> with_testing(const std::vector<std::string>& signers,
                                                       const mail::DmarcVerdict& dmarc) {
  std::vector<std::pair<std::string, bool>> all;
  for (const std::string& signer : signers) {
    if (!dmarc.reserved_aligned) all.emplace_back(signer, false);
    if (!signer.empty()) all.emplace_back(signer, true);
  }
  return all;
}

/// Verdicts about one author and one sender, with everything else still open. Which domain signed
/// and whether by a key in testing is the business of DMARC, and so are errors, except where there
/// is no record.
void with_verdicts(const Evidence& about, const std::function<void(const Evidence&)>& visit) {
  const std::string& author = about.verdicts.dmarc.from_domain;
  for (const mail::DmarcVerdict& dmarc : dmarc_verdicts(author)) {
    std::vector<std::string> signers{""};
    std::vector<SpfResult> results{SpfResult::Pass, SpfResult::Fail};
    if (dmarc.result == DmarcResult::None) {
      signers = {"", author, "mailer.example"};
      results.push_back(SpfResult::TempError);
    }
    if (dmarc.reserved_aligned) signers = {author};
    for (const SpfResult spf : results) {
      for (const auto& [signer, testing] : with_testing(signers, dmarc)) {
        Evidence known = about;
        known.verdicts.dmarc = dmarc;
        known.verdicts.dmarc.several_from = about.verdicts.dmarc.several_from;
        known.verdicts.dmarc.names_nobody = about.verdicts.dmarc.names_nobody;
        known.verdicts.mail_from.result = spf;
        known.verdicts.helo.result = spf;
        known.verdicts.dkim = {{.result = signer.empty() ? DkimResult::Fail : DkimResult::Pass,
                                .domain = signer,
                                .testing = testing}};
        visit(known);
      }
    }
  }
}

/// The other inputs: egress, chain, and the domain about to sign.
void with_surroundings(const Evidence& about, const std::function<void(const Evidence&)>& visit) {
  for (const std::optional<SpfResult> egress :
       {std::optional<SpfResult>(), std::optional(SpfResult::Pass),
        std::optional(SpfResult::Fail)}) {
    for (const auto chain : {ArcResult::None, ArcResult::Pass}) {
      for (const char* signer : {"relay.example", "author.example", "mail.hosted.example"}) {
        Evidence known = about;
        known.egress_spf = egress;
        known.verdicts.arc = {.result = chain, .instances = 1, .last_sealer = "lists.example"};
        known.sealer_saw_pass = true;
        known.signing_domain = signer;
        visit(known);
      }
    }
  }
}

/// Of every kStride arrivals, one.
void every_arrival(const std::function<void(const Arrival&)>& visit) {
  int seen = 0;
  for (const std::string author : {"author.example", "hosted.example", "sub.hosted.example",
                                   "relay.example", "", "nobody", "two"}) {
    for (const char* sender : {"", "x@author.example", "x@mail.hosted.example", "b@mailer.example",
                               "SRS0=a@srs.relay.example"}) {
      Evidence about;
      if (author == "two") {
        about.verdicts.dmarc.several_from = {"author.example", "hosted.example"};
      } else if (author == "nobody") {
        about.verdicts.dmarc.names_nobody = true;
      } else {
        about.verdicts.dmarc.from_domain = author;
      }
      about.verdicts.helo.domain = "mx.author.example";
      if (*sender != '\0') {
        about.sender = mail::ReversePath(house::mailbox(sender));
        about.verdicts.mail_from.domain = about.sender.mailbox().domain().folded();
      }
      with_verdicts(about, [&](const Evidence& judged) {
        with_surroundings(judged, [&](const Evidence& known) {
          for (const DmarcSettings& dmarc : wishes()) {
            for (const char* target : {"target.example", "keeps.example"}) {
              if (seen++ % kStride == 0) visit({.known = known, .dmarc = dmarc, .target = target});
            }
          }
        });
      });
    }
  }
}

Policy without_srs() {
  auto config = house::policy();
  config.srs = {};
  return config;
}

Policy srs_below_a_hosted_domain() {
  auto config = house::policy();
  config.srs.domain = house::domain("srs.hosted.example");
  return config;
}

Policy doubt_below_a_hosted_domain() {
  auto config = house::policy();
  config.risk.srs_domain = house::domain("doubt.hosted.example");
  return config;
}

Policy doubt_apart_from_a_hosted_domain() {
  auto config = srs_below_a_hosted_domain();
  config.risk.srs_domain = house::domain("doubt.example");
  return config;
}

Policy below_a_wildcard() {
  auto config = house::policy();
  config.domains.front().is_wildcard = true;
  config.srs.domain = house::domain("srs.hosted.example");
  return config;
}

Policy failed_senders_kept() {
  auto config = house::policy();
  config.risk.sender = KeepOrSrs::Keep;
  return config;
}

/// The null sender is never rewritten, and what the rest of the house relies on.
bool is_consistent(const Arrival& arrival, const Choice& choice, const Policy& config) {
  const bool refused = choice.option == Option::Refuse;
  const bool marked = choice.hold || choice.tag || choice.risk_pool;
  const bool srs = !refused && !keeps_sender(choice.option);
  return refused == choice.refusal.has_value() && !choice.reason.empty() &&
         choice.reason.find('\n') == std::string::npos && !(refused && marked) &&
         !(choice.tag && choice.risk_pool) && !(srs && arrival.known.sender.is_null()) &&
         !(srs && !config.srs.domain);
}

/// The sender is kept, or replaced, although the other choice is allowed, is predicted to end
/// better and no setting asks for this one; or it is kept although SPF will fail.
bool contradicts_itself(const Arrival& arrival, Option chosen, const std::vector<Considered>& all,
                        const Policy& config) {
  if (chosen == Option::Refuse || chosen == Option::NewAuthor) return false;
  const bool keeps = keeps_sender(chosen);
  const bool wished = arrival.target == "keeps.example" || config.risk.sender == KeepOrSrs::Keep;
  if (wished && keeps) return false;
  const auto of = [&all](Option option) { return all[static_cast<std::size_t>(option)]; };
  const Considered taken = of(keeps ? Option::Keep : Option::Srs);
  const Considered left = of(keeps ? Option::Srs : Option::Keep);
  return left.objection.empty() && (taken.prediction.outlook > left.prediction.outlook ||
                                    (keeps && taken.prediction.spf == SpfResult::Fail));
}

class Laundering : public testing::TestWithParam<Policy (*)()> {
 protected:
  /// How often each breach occurs when this one chooses.
  std::map<std::string, int> breaches(const std::function<Departure(const Arrival&)>& chooser) {
    std::map<std::string, int> found;
    every_arrival([&](const Arrival& arrival) {
      const std::string wrong = breach(arrival.known, config_, chooser(arrival));
      if (!wrong.empty()) ++found[wrong];
    });
    return found;
  }

  /// What leaves to the target of an alias, or, `back`, to the sender behind an SRS address.
  std::expected<Plan, PlanRefusal> plan(const Arrival& arrival, bool back = false) {
    const auto is_known = [&](const std::vector<ResolvedRecipient>& one) {
      return one.front().is_bounce == back && one.front().dmarc == arrival.dmarc &&
             one.front().targets.front().domain().folded() == arrival.target;
    };
    auto found = std::ranges::find_if(recipients_, is_known);
    if (found == recipients_.end()) {
      const ResolvedRecipient made{.original = *mail::parse_forward_path("<x@hosted.example>"),
                                   .targets = {house::mailbox("me@" + arrival.target)},
                                   .is_bounce = back,
                                   .rule = {},
                                   .dmarc = arrival.dmarc};
      found = recipients_.insert(recipients_.end(), {made});
    }
    return planner_->plan({id_, arrival.known.sender, kClient, kNow}, *found, arrival.known);
  }

  static const Choice& choice_of(const std::expected<Plan, PlanRefusal>& plan) {
    return plan ? plan->choices.front() : plan.error().choices.back();
  }

  Policy config_ = GetParam()();
  std::shared_ptr<const Planner> planner_ =
      *Planner::make(std::make_shared<const Policy>(config_), house::organisation_of);
  std::vector<std::vector<ResolvedRecipient>> recipients_;  ///< of earlier plans
  const mail::MessageId id_;
};

TEST_P(Laundering, NeverHappens) {
  int arrivals = 0;
  int left_unproven = 0;
  int inconsistent = 0;
  int left_in_testing = 0;
  int hosted_refused = 0;
  int hosted_taken = 0;
  int contradicted = 0;
  const auto found = breaches([&](const Arrival& arrival) {
    const auto made = plan(arrival);
    const Choice& choice = choice_of(made);
    ++arrivals;
    if (!is_consistent(arrival, choice, config_) && ++inconsistent < 5) {
      ADD_FAILURE() << choice.reason;
    }
    if (contradicts_itself(arrival, choice.option, choice.considered, config_)) ++contradicted;
    if (!was_proven(arrival.known)) {
      if (!choice.refusal) ++left_unproven;
      // Unless the operator allows it for the alias, mail in the name of a hosted domain that asks
      // for protection does not leave unproven, not even with a trusted seal.
      const bool testing = is_in_testing(arrival.known);
      if (testing && !choice.refusal) ++left_in_testing;
      const mail::DmarcVerdict& dmarc = arrival.known.verdicts.dmarc;
      const bool hosted = is_hosted(dmarc.from_domain, config_);
      // A message whose checks hit a limit of ours may be their own mail.
      const bool asked = dmarc.result == DmarcResult::Fail && dmarc.policy != DmarcPolicy::None &&
                         !dmarc.unfinished;
      if (hosted && asked && !testing && arrival.dmarc.on_dmarc_fail == OnDmarcFail::Policy) {
        ++(choice.refusal ? hosted_refused : hosted_taken);
      }
    }
    return departure_of(made);
  });
  EXPECT_THAT(found, testing::IsEmpty());
  EXPECT_EQ(inconsistent, 0);
  EXPECT_EQ(contradicted, 0);
  EXPECT_EQ(hosted_taken, 0);
  EXPECT_GT(hosted_refused, (config_.domains.front().is_wildcard ? 1'000 : 2'500) / kStride);
  EXPECT_GT(arrivals, 130'000 / kStride);
  EXPECT_GT(left_in_testing, 10'000 / kStride);
  EXPECT_GT(left_unproven, 10'000 / kStride) << "refusing everything would be safe, too";
}

/// A message to an SRS address leaves with the null sender, whoever wrote it.
TEST_P(Laundering, NeverHappensToWhatComesBack) {
  int refused = 0;
  int taken = 0;
  std::map<std::string, int> found;
  every_arrival([&](const Arrival& arrival) {
    if (arrival.target != "target.example" || arrival.dmarc != wishes().front()) return;
    const Departure leaves = departure_of(plan(arrival, true));
    EXPECT_TRUE(leaves.sender.is_null());
    EXPECT_EQ(leaves.signed_by, "");
    ++(leaves.refused ? refused : taken);
    Evidence known = arrival.known;
    mail::DmarcVerdict& dmarc = known.verdicts.dmarc;
    if (!was_proven(known)) {
      known.sender = mail::ReversePath::null();
      // If From can be read in several ways, the domains we forward for count.
      const bool unclear = dmarc.from_domain.empty() && dmarc.several_from.empty();
      if (unclear && !dmarc.names_nobody) dmarc.from_domain = "hosted.example";
    }
    const std::string wrong = breach(known, config_, leaves);
    if (!wrong.empty()) ++found[wrong];
  });
  EXPECT_THAT(found, testing::IsEmpty());
  EXPECT_GT(refused, 1'000 / kStride);
  EXPECT_GT(taken, 10'000 / kStride);
}

/// The negative control of contradicts_itself(): a chooser that keeps every sender, or none.
TEST_P(Laundering, NoChoiceButTheRealOneFollowsItsPredictions) {
  std::map<Option, int> contradicted{{Option::Keep, 0}, {Option::Srs, 0}};
  every_arrival([&](const Arrival& arrival) {
    if (arrival.target != "target.example" || arrival.dmarc != wishes().front()) return;
    const auto all =
        planner_->strategy().choose(arrival.known, arrival.dmarc, arrival.target).considered;
    for (auto& [always, times] : contradicted) {
      const bool is_allowed = all[static_cast<std::size_t>(always)].objection.empty();
      if (is_allowed && contradicts_itself(arrival, always, all, config_)) ++times;
    }
  });
  const bool keeps_failed = config_.risk.sender == KeepOrSrs::Keep;
  EXPECT_EQ(contradicted[Option::Keep] > 100 / kStride, config_.srs.domain && !keeps_failed);
  EXPECT_EQ(contradicted[Option::Srs] > 100 / kStride, config_.srs.domain.has_value());
}

/// The negative control: the planner as it was before there were verdicts.
TEST_P(Laundering, IsSeenInAPlannerWithoutVerdicts) {
  const auto found = breaches([&](const Arrival& arrival) {
    const Evidence& known = arrival.known;
    const bool ours =
        known.sender.is_null() || config_.srs.domain == std::nullopt ||
        planner_->strategy().identities().is_ours(known.sender.mailbox().domain().folded());
    const auto& srs = planner_->directory().senders();
    return Departure{.sender = ours ? known.sender
                                    : srs.rewrite(known.sender.mailbox(),
                                                  {mail::MessageId(), kClient, false, true, kNow})
                                          .reverse_path,
                     .signed_by = known.signing_domain};
  });
  EXPECT_GT(found.at("sent by an aligned domain"), 1000 / kStride);
  EXPECT_GT(found.at("signed by an aligned domain"), 1000 / kStride);
}

/// The same with the real chooser, which is told of every author that he is proven.
TEST_P(Laundering, IsSeenWhenEverybodyPassesForProven) {
  const auto found = breaches([&](const Arrival& arrival) {
    Arrival believed = arrival;
    mail::DmarcVerdict& dmarc = believed.known.verdicts.dmarc;
    dmarc.result = DmarcResult::Pass;
    dmarc.dkim_aligned = true;
    return departure_of(plan(believed));
  });
  EXPECT_GT(found.at("sent by an aligned domain"), 1000 / kStride);
  EXPECT_GT(found.at("signed by an aligned domain"), 1000 / kStride);
}

INSTANTIATE_TEST_SUITE_P(Houses, Laundering,
                         testing::Values(house::policy, without_srs, srs_below_a_hosted_domain,
                                         below_a_wildcard, failed_senders_kept,
                                         doubt_below_a_hosted_domain,
                                         doubt_apart_from_a_hosted_domain));

}  // namespace
}  // namespace relay::forward
