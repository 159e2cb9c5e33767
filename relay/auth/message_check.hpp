// All checks of one message while it comes in. SPF and iprev start with the envelope; the keys of
// DKIM and ARC and the author's DMARC policy are looked up from the end of the header on, all at
// once, while the body arrives. Only finish() waits, and briefly for what cannot change the
// decision. This class makes no decision about the message.
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
  /// If set, organisational domains come from the Public Suffix List (RFC 7489 §3.2) instead of the
  /// DNS tree walk.
  std::shared_ptr<const OrganisationalDomain> suffixes;
  /// The addresses that our mail leaves from. Whether the sender's SPF authorises them is evaluated
  /// from the answers already at hand; nothing is looked up for it.
  std::vector<boost::asio::ip::address> egress;
};

/// Client and envelope of the message.
struct Arrival {
  boost::asio::ip::address client;
  std::string helo;
  mail::ReversePath reverse_path;
};

struct CheckResult {
  mail::Authentication verdicts;
  /// SPF of MAIL FROM for our egress addresses; nullopt: not evaluated, not known, or not the same
  /// for all of them.
  std::optional<mail::SpfResult> egress;
  /// The newest ARC set reports dmarc=pass for the author (arc/sealed_verdict.hpp), and the chain
  /// passes or cannot be checked for now (verdicts.arc).
  bool sealer_saw_pass = false;
};

class MessageCheck {
 public:
  /// Starts the checks. `resolver` and `clock` must outlive everything that runs on `executor`.
  /// Lookups still under way when this object is destroyed end by themselves, within
  /// LookupLimits::whole.
  MessageCheck(ports::Resolver& resolver, ports::Clock& clock, base::Executor executor,
               std::shared_ptr<const CheckOptions> options, Arrival arrival);
  MessageCheck(const MessageCheck&) = delete;
  MessageCheck& operator=(const MessageCheck&) = delete;
  ~MessageCheck();

  /// Call once, when the header is complete and before the body. Registers in `hashes` the body
  /// hashes that the signatures need.
  void on_header(const mail::Header& header, dkim::BodyHashes& hashes);

  /// Takes over what a trusted gateway found when it received the message. Its SPF results for the
  /// sender or the HELO name replace ours, since we may not know the address that the message came
  /// from. An author for whom DMARC passed there counts as aligned by SPF only: that proof is not
  /// visible to the next hop. Call before finish().
  void believe(results::Believed found);

  /// How long finish() waits for lookups that cannot change the decision: those for the report only
  /// (SPF of HELO when there is a sender, iprev, keys that are not the author's, keys of older
  /// message signatures of an ARC chain); the author's policy when exactly the author's domain is
  /// proven; SPF of MAIL FROM, ARC seals and further keys of the author when one signature of the
  /// author is aligned.
  static constexpr std::chrono::seconds kGrace{1};

  /// Waits for the lookups and judges. Call once, after on_header() and the end of the body, with
  /// the finished hashes. Throws std::bad_alloc if a lookup ran out of memory.
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
  template <class Judge>
  base::Task<> wait_for_decision(Judge judge_signatures);
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
