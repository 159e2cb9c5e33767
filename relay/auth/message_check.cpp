#include "relay/auth/message_check.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "relay/auth/arc/sealed_verdict.hpp"
#include "relay/auth/arc/verifier.hpp"
#include "relay/auth/dkim/verifier.hpp"
#include "relay/auth/dmarc/discovery.hpp"
#include "relay/auth/dmarc/evaluation.hpp"
#include "relay/auth/iprev.hpp"
#include "relay/auth/spf/check.hpp"
#include "relay/auth/spf/record.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/author.hpp"

namespace relay::auth {

namespace {

std::vector<std::string> names_of(const std::vector<mail::Domain>& domains) {
  std::vector<std::string> names;
  for (const mail::Domain& domain : domains) names.push_back(domain.folded());
  return names;
}

/// HELO as an identifier; like SPF, without a trailing dot.
std::string helo_identifier(std::string_view helo) {
  return dmarc::as_identifier(helo.ends_with('.') ? helo.substr(0, helo.size() - 1) : helo);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

/// Shared with the running lookups, so that it outlives the MessageCheck.
struct MessageCheck::State {
  State(ports::Resolver& resolver, ports::Clock& clock_used,
        std::shared_ptr<const CheckOptions> chosen, Arrival arrived)
      : clock(clock_used),
        options(std::move(chosen)),
        arrival(std::move(arrived)),
        lookups(resolver, clock_used, options->lookups) {}

  spf::Query query(mail::SpfIdentity identity) const {
    spf::Query query;
    query.client = arrival.client;
    query.identity = identity;
    query.helo = arrival.helo;
    if (!arrival.reverse_path.is_null()) {
      query.mail_from = spf::Sender::of(arrival.reverse_path.mailbox());
    }
    const bool is_only_reported =
        identity == mail::SpfIdentity::Helo && !arrival.reverse_path.is_null();
    if (is_only_reported) query.max_queries = spf::kMaxHeloQueries;
    query.receiver = options->receiver;
    query.deadline = lookups.end();
    return query;
  }

  ports::Clock& clock;
  const std::shared_ptr<const CheckOptions> options;
  const Arrival arrival;
  MessageLookups lookups;

  CheckResult result;
  std::unique_ptr<dkim::Verification> signatures;
  std::unique_ptr<arc::Verification> chain;
  std::expected<std::vector<mail::Domain>, mail::AuthorProblem> authors =
      std::unexpected(mail::AuthorProblem::NoField);
  std::optional<dmarc::Findings> policies;

  results::Believed believed;

  bool is_impatient = false;  ///< kGrace has passed
};

MessageCheck::MessageCheck(ports::Resolver& resolver, ports::Clock& clock, base::Executor executor,
                           std::shared_ptr<const CheckOptions> options, Arrival arrival)
    : state_(std::make_shared<State>(resolver, clock, std::move(options), std::move(arrival))),
      errands_(std::move(executor), kParts) {
  // If the resolver has a queue, what can prove the author goes before what is only reported.
  if (!state_->arrival.reverse_path.is_null()) start(Part::MailFrom, check_mail_from(*state_));
  start(Part::Helo, check_helo(*state_));
  start(Part::Client, check_client(*state_));
}

MessageCheck::~MessageCheck() = default;

void MessageCheck::start(Part part, base::Task<> work) {
  errands_.send("message check", keeping(state_, std::move(work)), static_cast<std::size_t>(part));
}

base::Task<> MessageCheck::keeping(std::shared_ptr<State> state, base::Task<> work) {
  static_cast<void>(state);  // keeps what `work` refers to alive
  co_await std::move(work);
}

base::Task<> MessageCheck::check_helo(State& state) {
  auto found =
      co_await spf::check(state.lookups, state.clock, state.query(mail::SpfIdentity::Helo));
  state.result.verdicts.helo = std::move(found.verdict);
}

base::Task<> MessageCheck::check_mail_from(State& state) {
  auto found =
      co_await spf::check(state.lookups, state.clock, state.query(mail::SpfIdentity::MailFrom));
  state.result.verdicts.mail_from = std::move(found.verdict);
  co_await check_egress(state);
}

/// From known answers only: this is no reason to put further load on the sender's DNS.
base::Task<> MessageCheck::check_egress(State& state) {
  KnownAnswers known(state.lookups);
  std::optional<mail::SpfResult> common;
  for (const auto& address : state.options->egress) {
    spf::Query query = state.query(mail::SpfIdentity::MailFrom);
    query.client = address;
    query.helo = state.options->receiver;
    const auto evaluation = co_await spf::check(known, state.clock, std::move(query));
    const mail::SpfResult found = evaluation.verdict.result;
    if (found == mail::SpfResult::TempError || (common && *common != found)) co_return;
    common = found;
  }
  state.result.egress = common;
}

base::Task<> MessageCheck::check_client(State& state) {
  state.result.verdicts.iprev =
      co_await check_iprev(state.lookups, state.arrival.client, state.lookups.end());
}

base::Task<> MessageCheck::find_policies(State& state) {
  // It is not known yet which signatures pass, so ask about every domain that may vouch.
  dmarc::Question question{.author_domains = names_of(*state.authors),
                           .identifiers = {},
                           .suffixes = state.options->suffixes.get()};
  const mail::ReversePath& sender = state.arrival.reverse_path;
  question.identifiers.spf =
      sender.is_null() ? helo_identifier(state.arrival.helo) : sender.mailbox().domain().folded();
  question.identifiers.dkim = state.signatures->domains();
  state.policies =
      co_await dmarc::discover(state.lookups, std::move(question), state.lookups.end());
}

void MessageCheck::on_header(const mail::Header& header, dkim::BodyHashes& hashes) {
  State& state = *state_;
  state.signatures = std::make_unique<dkim::Verification>(header, hashes);
  state.chain = std::make_unique<arc::Verification>(header, hashes);
  state.authors = mail::author_domains(header);
  state.result.sealer_saw_pass =
      state.authors && state.authors->size() == 1 &&
      arc::newest_set_vouches_for(header, state.authors->front().folded());
  // If the resolver has a queue, the lookups that can prove the author go first.
  if (state.authors) start(Part::Policies, find_policies(state));
  const auto authors = state.authors ? *state.authors : std::vector<mail::Domain>();
  for (const Part part : {Part::AuthorKeys, Part::OtherKeys}) {
    for (std::size_t i = 0; i < state.signatures->lookups(); ++i) {
      if (state.signatures->may_align(i, authors) != (part == Part::AuthorKeys)) continue;
      start(part, state.signatures->fetch_key(i, state.lookups, state.lookups.end()));
    }
  }
  start(Part::Chain, state.chain->fetch_keys(state.lookups, state.lookups.end()));
}

base::Task<> MessageCheck::lose_patience(std::shared_ptr<State> state) {
  co_await state->clock.sleep_until(state->clock.steady() + kGrace);
  state->is_impatient = true;
}

bool MessageCheck::is_open(Part part) const {
  return errands_.open(static_cast<std::size_t>(part)) > 0;
}

/// No timer per message, because most messages have nothing to wait for: returns when the condition
/// is fulfilled or kGrace has passed, and checks both whenever a lookup ends.
template <class Condition>
base::Task<> MessageCheck::wait_until(Condition is_fulfilled) {
  while (!state_->is_impatient && !is_fulfilled()) co_await errands_.next_end();
}

/// Waits until all these parts have ended.
base::Task<> MessageCheck::wait_for(std::vector<Part> parts) {
  co_await wait_until([this, parts = std::move(parts)] {
    return std::ranges::none_of(parts, [this](Part part) { return is_open(part); });
  });
}

/// Waits until no running lookup can change what happens to the message. `judge_signatures` puts
/// the verdicts on the signatures whose keys are there into the result.
template <class Judge>
base::Task<> MessageCheck::wait_for_decision(Judge judge_signatures) {
  State& state = *state_;
  const Part sender = state.arrival.reverse_path.is_null() ? Part::Helo : Part::MailFrom;
  const std::string author =
      state.authors && state.authors->size() == 1 ? state.authors->front().folded() : std::string();
  // One signature is enough, and a domain is aligned with itself, whatever the record says.
  const auto is_aligned = [this, author] {
    if (!author.empty() && contains(identifiers().dkim, author)) return true;
    return !is_open(Part::Policies) && judge_dmarc(identifiers()).dkim_aligned;
  };
  co_await wait_until([this, sender, author, is_aligned, judge_signatures] {
    judge_signatures();
    if (is_aligned()) return true;
    if (is_open(Part::AuthorKeys) || is_open(sender)) return false;
    return !is_open(Part::Policies) || (!author.empty() && identifiers().spf == author);
  });
  // Without an aligned signature the chain matters: an earlier hop may have seen a proof, and for
  // an author proven by SPF alone we may add our own seal.
  if (!is_aligned()) co_await wait_for({Part::Chain});
}

/// The same, but for kGrace at most.
base::Task<> MessageCheck::wait_a_little_for(std::vector<Part> parts) {
  const auto open = [this](Part part) { return is_open(part); };
  if (std::ranges::none_of(parts, open)) co_return;
  start(Part::Patience, lose_patience(state_));
  co_await wait_for(std::move(parts));
}

mail::DmarcVerdict MessageCheck::judge_dmarc(const dmarc::Identifiers& identifiers) const {
  const State& state = *state_;
  if (!state.authors) return dmarc::verdict_on(state.authors.error());
  if (state.policies) return dmarc::evaluate(*state.policies, identifiers);
  dmarc::Findings not_yet;
  for (const std::string& author : names_of(*state.authors)) {
    not_yet.authors.push_back({author, std::unexpected(dmarc::Unknown::TemporaryError)});
  }
  return dmarc::evaluate(not_yet, identifiers);
}

/// Reports checks that were not waited for as TempError.
void MessageCheck::replace_unfinished() {
  State& state = *state_;
  mail::Authentication& verdicts = state.result.verdicts;
  const auto not_waited_for = [](mail::SpfIdentity identity, std::string_view domain) {
    return mail::SpfVerdict{.result = mail::SpfResult::TempError,
                            .identity = identity,
                            .domain = spf::visible(base::lower(domain)),
                            .problem = "not waited for"};
  };
  if (is_open(Part::Helo)) {
    verdicts.helo = not_waited_for(mail::SpfIdentity::Helo, state.arrival.helo);
  }
  if (is_open(Part::MailFrom)) {
    verdicts.mail_from = not_waited_for(mail::SpfIdentity::MailFrom,
                                        state.arrival.reverse_path.mailbox().domain().folded());
    state.result.egress.reset();
  }
  if (is_open(Part::Client)) verdicts.iprev = {.result = mail::IprevResult::TempError};
}

void MessageCheck::believe(results::Believed found) { state_->believed = std::move(found); }

void MessageCheck::put_believed_spf() {
  State& state = *state_;
  const auto put = [](const std::optional<results::BelievedSpf>& found, const std::string& domain,
                      mail::SpfVerdict& into) {
    if (!found || found->domain != domain) return;
    into = {.result = found->result, .identity = into.identity, .domain = found->domain};
  };
  const mail::ReversePath& sender = state.arrival.reverse_path;
  if (!sender.is_null()) {
    put(state.believed.mail_from, sender.mailbox().domain().folded(),
        state.result.verdicts.mail_from);
  }
  put(state.believed.helo, base::lower(state.arrival.helo), state.result.verdicts.helo);
}

void MessageCheck::put_believed_pass() {
  mail::DmarcVerdict& dmarc = state_->result.verdicts.dmarc;
  const bool is_open =
      dmarc.result == mail::DmarcResult::Fail || dmarc.result == mail::DmarcResult::TempError;
  if (!is_open || !contains(state_->believed.passed, dmarc.from_domain)) return;
  dmarc.result = mail::DmarcResult::Pass;
  dmarc.spf_aligned = true;
  dmarc.unfinished = false;
  dmarc.problem.clear();
}

dmarc::Identifiers MessageCheck::identifiers() const {
  return dmarc::identifiers_of(state_->result.verdicts, state_->arrival.reverse_path.is_null());
}

base::Task<CheckResult> MessageCheck::finish(const dkim::BodyHashes& hashes) {
  State& state = *state_;
  const base::WallTime now = state.clock.wall();
  const auto judge_signatures = [&state, &hashes, now] {
    state.result.verdicts.dkim = state.signatures->finish(hashes, now);
  };
  co_await wait_for_decision(judge_signatures);
  if (!is_open(Part::Chain)) {
    start(Part::OlderChain, state.chain->fetch_older_keys(state.lookups, state.lookups.end()));
  }
  co_await wait_a_little_for({Part::AuthorKeys, Part::OtherKeys, Part::Chain, Part::OlderChain,
                              Part::MailFrom, Part::Policies, Part::Helo, Part::Client});
  if (errands_.lacked_memory()) throw std::bad_alloc();
  replace_unfinished();
  put_believed_spf();
  judge_signatures();
  mail::Authentication& verdicts = state.result.verdicts;
  verdicts.arc = state.chain->finish(hashes, now);
  verdicts.dmarc = judge_dmarc(identifiers());
  put_believed_pass();
  const bool may_hold = verdicts.arc.result == mail::ArcResult::Pass ||
                        verdicts.arc.result == mail::ArcResult::TempError;
  state.result.sealer_saw_pass = state.result.sealer_saw_pass && may_hold;
  co_return std::move(state.result);
}

}  // namespace relay::auth
