// Everything that is asked about one message while it comes in: SPF and iprev from the envelope on;
// from the end of the header on the keys of DKIM and ARC, and the author's DMARC policy. All at
// once, while the body arrives; nobody waits before finish(), and there for what can matter only.
// Decides nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dmarc/findings.hpp"
#include "relay/auth/message_lookups.hpp"
#include "relay/auth/organisational_domain.hpp"
#include "relay/auth/results/believed.hpp"
#include "relay/base/errands.hpp"
#include "relay/base/task.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

/// The same for all messages.
struct CheckOptions {
  std::string receiver;  ///< our host name
  LookupLimits lookups;  ///< of one message
  /// Set: organisations by the Public Suffix List instead of the tree walk (RFC 7489 §3.2).
  std::shared_ptr<const OrganisationalDomain> suffixes;
  /// Where our mail leaves from: may it, by what the sender's SPF has told by then? Nothing is
  /// looked up for it.
  std::vector<boost::asio::ip::address> egress;
};

/// What the envelope says.
struct Arrival {
  boost::asio::ip::address client;
  std::string helo;
  mail::ReversePath reverse_path;
};

struct CheckResult {
  mail::Authentication verdicts;
  /// SPF of MAIL FROM for our egress addresses; nullopt: not asked, not known, or not the same.
  std::optional<mail::SpfResult> egress;
  /// The newest set says dmarc=pass of the author (arc/sealed_verdict.hpp), and its chain passes,
  /// or will when the DNS answers (verdicts.arc).
  bool sealer_saw_pass = false;
};

class MessageCheck {
 public:
  /// Begins. `resolver` and `clock` outlive everything that runs on `executor`; what is still being
  /// looked up when this object dies ends by itself, within the budget's time.
  MessageCheck(ports::Resolver& resolver, ports::Clock& clock, base::Executor executor,
               std::shared_ptr<const CheckOptions> options, Arrival arrival);
  MessageCheck(const MessageCheck&) = delete;
  MessageCheck& operator=(const MessageCheck&) = delete;
  ~MessageCheck();

  /// The header is complete, the body not yet begun. Once. Asks `hashes` for what the signatures
  /// need of the body.
  void on_header(const mail::Header& header, dkim::BodyHashes& hashes);

  /// A gateway has looked at the message when it came, and is believed: what it says of SPF for the
  /// sender or the HELO name goes before what is found here, where the address it came from may not
  /// be known; and an author for whom DMARC passed there has a proof that ends here, as SPF alone
  /// is. Before finish().
  void believe(results::Believed found);

  /// How long finish() waits for what decides nothing: what is only reported (SPF of HELO beside a
  /// sender, iprev, keys of others than the author,
  /// those of older message signatures of a chain); the policy of an author whose very domain is
  /// proven; SPF of MAIL FROM and earlier seals beside a signature of the author.
  static constexpr std::chrono::seconds kGrace{1};

  /// After the end of the body, with the finished hashes: waits for what is still being looked up.
  /// Once; after on_header(). Throws std::bad_alloc when memory ran out meanwhile.
  base::Task<CheckResult> finish(const dkim::BodyHashes& hashes);

 private:
  struct State;
  enum class Part : std::uint8_t {
    Client,
    Helo,
    MailFrom,
    AuthorKeys,
    OtherKeys,
    Chain,
    OlderChain,
    Policies,
    Patience
  };
  static constexpr std::size_t kParts = 9;

  void start(Part part, base::Task<> work);
  static base::Task<> keeping(std::shared_ptr<State> state, base::Task<> work);
  static base::Task<> check_helo(State& state);
  static base::Task<> check_mail_from(State& state);
  static base::Task<> check_egress(State& state);
  static base::Task<> check_client(State& state);
  static base::Task<> find_policies(State& state);

  static base::Task<> lose_patience(std::shared_ptr<State> state);
  bool is_open(Part part) const;
  template <class Condition>
  base::Task<> wait_until(Condition is_fulfilled);
  base::Task<> wait_for(std::vector<Part> parts);
  base::Task<> wait_for_decision(const std::vector<mail::DkimVerdict>& signatures);
  base::Task<> wait_a_little_for(std::vector<Part> parts);
  void replace_unfinished();
  void put_believed_spf();
  void put_believed_pass();
  dmarc::Identifiers identifiers() const;
  mail::DmarcVerdict judge_dmarc(const dmarc::Identifiers& identifiers) const;

  std::shared_ptr<State> state_;  ///< shared with the lookups under way
  base::Errands errands_;
};

}  // namespace relay::auth
