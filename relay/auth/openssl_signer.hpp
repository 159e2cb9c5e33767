// ports::Signer on OpenSSL. One RSA signature costs as much as everything else a message needs:
// where there are more cores than shards, a small pool of threads makes it on the idle ones.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/self_check.hpp"
#include "relay/auth/signing_policy.hpp"
#include "relay/base/published.hpp"
#include "relay/ports/signer.hpp"

namespace relay::auth {

/// What a reload swaps.
struct SigningKeys {
  std::vector<SigningDomain> domains;
  std::optional<arc::SealingKey> sealer;  ///< absent: nothing is sealed
};

/// In debug builds every signed or sealed message is verified before it leaves, elsewhere one in a
/// thousand, the first one among them.
std::uint64_t usual_self_check_every();

struct SelfChecking {
  std::uint64_t every = usual_self_check_every();  ///< 1: each message
  /// Told of each failure, on the thread that signed; may be empty.
  std::function<void(const SelfCheckFault&)> on_fault;
};

class OpensslSigner final : public ports::Signer {
 public:
  /// `keys` may be swapped at any time; a message is signed with the set it finds. Without threads
  /// the caller's shard signs: when every core has a shard, handing the work over is two changes of
  /// thread and no gain.
  OpensslSigner(const base::Published<SigningKeys>& keys, std::size_t threads,
                SelfChecking checking = {});
  ~OpensslSigner() override;

  std::string domain_for(const std::string& from_domain) const override;

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override;

  struct SelfChecks {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;  ///< of them; stays 0, or we have a defect
  };

  SelfChecks self_checks() const { return {checks_.load(), failures_.load()}; }

 private:
  using Job = std::move_only_function<void()>;

  void run();
  using Fields = std::expected<std::string, ports::SignError>;

  std::expected<ports::Signatures, ports::SignError> try_to_sign(const ports::SignRequest& request);
  std::expected<ports::Signatures, ports::SignError> sign_now(const ports::SignRequest& request);
  /// Who signs with DKIM; null: nobody.
  const SigningDomain* signer_of(const SigningKeys& keys, const ports::SignRequest& request) const;
  /// True for the messages that are not checked, too.
  bool holds(const SigningKeys& keys, const SigningDomain* signer,
             const ports::SignRequest& request, const ports::Signatures& made);
  static Fields dkim_fields(const SigningDomain& signer, const ports::SignRequest& request);
  static Fields arc_fields(const arc::SealingKey& sealer, const ports::SignRequest& request,
                           const std::string& header_block);

  const base::Published<SigningKeys>& keys_;
  const OrganisationalDomain organisations_;
  const SelfChecking checking_;
  std::atomic<std::uint64_t> signed_{0};  ///< messages with a signature or seal of ours
  std::atomic<std::uint64_t> checks_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace relay::auth
