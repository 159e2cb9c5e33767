// Everything that is asked about one message while it comes in: SPF and iprev from the envelope on;
// from the end of the header on the keys of DKIM and ARC, and the author's DMARC policy. All at
// once, while the body arrives; nobody waits before finish(). Decides nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/budgeted_resolver.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/organisational_domain.hpp"
#include "relay/base/task.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

/// The same for all messages.
struct CheckOptions {
  std::string receiver;  ///< our host name
  LookupBudget lookups;  ///< of one message
  /// Set: organisations by the Public Suffix List instead of the tree walk (RFC 7489 §3.2).
  std::shared_ptr<const OrganisationalDomain> suffixes;
  /// Where our mail leaves from: may it, by the sender's SPF? Empty: not asked.
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
  /// The newest set of a chain that passes says dmarc=pass (RFC 8617 §4.1.1).
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
  void on_header(std::string_view header_block, dkim::BodyHashes& hashes);

  /// After the end of the body, with the finished hashes: waits for what is still being looked up.
  /// Once; after on_header(). Throws std::bad_alloc when memory ran out meanwhile.
  base::Task<CheckResult> finish(const dkim::BodyHashes& hashes);

 private:
  struct State;

  void start(base::Task<> work);
  static base::Task<> run(std::shared_ptr<State> state, base::Task<> work);
  static base::Task<> check_spf(State& state, mail::SpfIdentity identity);
  static base::Task<> check_egress(State& state);
  static base::Task<> check_client(State& state);
  static base::Task<> find_policies(State& state);

  const base::Executor executor_;
  std::shared_ptr<State> state_;  ///< shared with the lookups under way
};

}  // namespace relay::auth
