#include "relay/auth/message_check.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/arc/verifier.hpp"
#include "relay/auth/dkim/verifier.hpp"
#include "relay/auth/dmarc/discovery.hpp"
#include "relay/auth/dmarc/evaluation.hpp"
#include "relay/auth/iprev.hpp"
#include "relay/auth/results/parser.hpp"
#include "relay/auth/spf/check.hpp"
#include "relay/mail/author.hpp"

namespace relay::auth {

namespace {

/// What the newest ARC-Authentication-Results says of DMARC, whoever wrote it.
bool newest_set_says_dmarc_pass(std::string_view header_block) {
  const auto fields = mail::readable_fields(header_block);
  const arc::Chain chain = arc::Chain::collect(fields);
  if (chain.sets().empty()) return false;
  std::string_view value = chain.sets().back().results.value;  // " i=2; mx.example.org; …"
  value.remove_prefix(std::min(value.size(), value.find(';') + 1));
  const auto read = results::parse_results(value);
  return read && std::ranges::any_of(read->results, [](const results::Result& one) {
           return one.method == "dmarc" && one.result == "pass";
         });
}

std::vector<std::string> names_of(const std::vector<mail::Domain>& domains) {
  std::vector<std::string> names;
  for (const mail::Domain& domain : domains) names.push_back(domain.folded());
  return names;
}

}  // namespace

/// Outlives the check for as long as something is being looked up.
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
    query.receiver = options->receiver;
    query.deadline = lookups.end();
    return query;
  }

  ports::Clock& clock;
  const std::shared_ptr<const CheckOptions> options;
  const Arrival arrival;
  BudgetedResolver lookups;

  CheckResult result;
  std::unique_ptr<dkim::Verification> signatures;
  std::unique_ptr<arc::Verification> chain;
  std::expected<std::vector<mail::Domain>, mail::AuthorProblem> authors =
      std::unexpected(mail::AuthorProblem::NoField);
  dmarc::Findings policies;

  std::size_t open = 0;  ///< lookups under way
  bool out_of_memory = false;
  std::move_only_function<void(bool)> waiter;  ///< called when the last one has ended
};

MessageCheck::MessageCheck(ports::Resolver& resolver, ports::Clock& clock, base::Executor executor,
                           std::shared_ptr<const CheckOptions> options, Arrival arrival)
    : executor_(std::move(executor)),
      state_(std::make_shared<State>(resolver, clock, std::move(options), std::move(arrival))) {
  start(check_client(*state_));
  start(check_spf(*state_, mail::SpfIdentity::Helo));
  if (!state_->arrival.reverse_path.is_null()) {
    start(check_spf(*state_, mail::SpfIdentity::MailFrom));
    if (!state_->options->egress.empty()) start(check_egress(*state_));
  }
}

MessageCheck::~MessageCheck() = default;

void MessageCheck::start(base::Task<> work) {
  ++state_->open;
  try {
    base::spawn_supervised(executor_, "message check", run(state_, std::move(work)));
  } catch (...) {
    --state_->open;
    throw;
  }
}

base::Task<> MessageCheck::run(std::shared_ptr<State> state, base::Task<> work) {
  try {
    co_await std::move(work);
  } catch (const std::bad_alloc&) {
    state->out_of_memory = true;
  }
  if (--state->open == 0 && state->waiter) std::exchange(state->waiter, {})(true);
}

base::Task<> MessageCheck::check_spf(State& state, mail::SpfIdentity identity) {
  auto evaluation = co_await spf::check(state.lookups, state.clock, state.query(identity));
  mail::SpfVerdict& verdict = identity == mail::SpfIdentity::Helo ? state.result.verdicts.helo
                                                                  : state.result.verdicts.mail_from;
  verdict = std::move(evaluation.verdict);
}

base::Task<> MessageCheck::check_egress(State& state) {
  std::optional<mail::SpfResult> common;
  for (const auto& address : state.options->egress) {
    spf::Query query = state.query(mail::SpfIdentity::MailFrom);
    query.client = address;
    query.helo = state.options->receiver;
    const auto evaluation = co_await spf::check(state.lookups, state.clock, std::move(query));
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
  // Who will have vouched in the end is not known yet: asked is about all who may.
  dmarc::Question question{.author_domains = names_of(*state.authors),
                           .identifiers = {},
                           .suffixes = state.options->suffixes.get()};
  const mail::ReversePath& sender = state.arrival.reverse_path;
  question.identifiers.spf =
      sender.is_null() ? state.arrival.helo : sender.mailbox().domain().folded();
  question.identifiers.dkim = state.signatures->domains();
  state.policies =
      co_await dmarc::discover(state.lookups, std::move(question), state.lookups.end());
}

void MessageCheck::on_header(std::string_view header_block, dkim::BodyHashes& hashes) {
  State& state = *state_;
  state.signatures = std::make_unique<dkim::Verification>(header_block, hashes);
  state.chain = std::make_unique<arc::Verification>(header_block, hashes);
  state.authors = mail::author_domains(header_block);
  state.result.sealer_saw_pass = newest_set_says_dmarc_pass(header_block);
  for (std::size_t i = 0; i < state.signatures->lookups(); ++i) {
    start(state.signatures->fetch_key(i, state.lookups, state.lookups.end()));
  }
  start(state.chain->fetch_keys(state.lookups, state.lookups.end()));
  if (state.authors) start(find_policies(state));
}

base::Task<CheckResult> MessageCheck::finish(const dkim::BodyHashes& hashes) {
  State& state = *state_;
  if (state.open > 0) {
    co_await base::await_answer<bool>([&state](auto resume) { state.waiter = std::move(resume); });
  }
  if (state.out_of_memory) throw std::bad_alloc();
  const base::WallTime now = state.clock.wall();
  mail::Authentication& verdicts = state.result.verdicts;
  verdicts.dkim = state.signatures->finish(hashes, now);
  verdicts.arc = state.chain->finish(hashes, now);
  const bool null_sender = state.arrival.reverse_path.is_null();
  verdicts.dmarc =
      state.authors ? dmarc::evaluate(state.policies, dmarc::identifiers_of(verdicts, null_sender))
                    : dmarc::verdict_on(state.authors.error());
  if (verdicts.arc.result != mail::ArcResult::Pass) state.result.sealer_saw_pass = false;
  co_return std::move(state.result);
}

}  // namespace relay::auth
