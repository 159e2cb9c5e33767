// ports::Signer with OpenSSL. One RSA signature costs as much as all other work on a message: if
// there are more cores than shards, a small pool of threads signs on the idle cores.
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

/// The keys, replaced as a whole by a reload.
struct SigningKeys {
  std::vector<SigningDomain> domains;
  std::optional<arc::SealingKey> sealer;  ///< absent: nothing is sealed
};

/// How often a signed or sealed message is verified before it leaves: every one in debug builds,
/// else one in a thousand, beginning with the first.
std::uint64_t usual_self_check_every();

struct SelfChecking {
  std::uint64_t every = usual_self_check_every();  ///< 1: every message
  /// Called for each failure, on the thread that signed; may be empty.
  std::function<void(const SelfCheckFault&)> on_fault;
};

class OpensslSigner final : public ports::Signer {
 public:
  /// `keys` may be replaced at any time; a message is signed with one set of keys. With `threads` =
  /// 0 the caller's shard signs: if every core has a shard, handing the work over costs two thread
  /// switches and gains nothing.
  OpensslSigner(const base::Published<SigningKeys>& keys, std::size_t threads,
                SelfChecking checking = {});
  ~OpensslSigner() override;

  std::string domain_for(const std::string& from_domain) const override;

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override;

  struct SelfChecks {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;  ///< of these; above 0 means a defect of ours
  };

  SelfChecks self_checks() const { return {checks_.load(), failures_.load()}; }

 private:
  using Job = std::move_only_function<void()>;

  void run();
  using Fields = std::expected<std::string, ports::SignError>;

  std::expected<ports::Signatures, ports::SignError> try_to_sign(const ports::SignRequest& request);
  std::expected<ports::Signatures, ports::SignError> sign_now(const ports::SignRequest& request,
                                                              const SigningKeys& keys);
  /// The domain that signs with DKIM; null: none.
  const SigningDomain* signer_of(const SigningKeys& keys, const ports::SignRequest& request) const;
  /// Whether the self-check found no fault; true also for messages that are not checked.
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
