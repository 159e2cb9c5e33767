// ports::Signer on OpenSSL. One RSA signature costs as much as everything else a message needs: where
// there are more cores than shards, a small pool of threads makes it on the idle ones.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/signing_policy.hpp"
#include "relay/base/published.hpp"
#include "relay/ports/signer.hpp"

namespace relay::auth {

/// What a reload swaps.
struct SigningKeys {
  std::vector<SigningDomain> domains;
  std::optional<arc::SealingKey> sealer;  ///< absent: nothing is sealed
};

class OpensslSigner final : public ports::Signer {
 public:
  /// `keys` may be swapped at any time; a message is signed with the set it finds. Without threads
  /// the caller's shard signs: when every core has a shard, handing the work over is two changes of
  /// thread and no gain.
  OpensslSigner(const base::Published<SigningKeys>& keys, std::size_t threads);
  ~OpensslSigner() override;

  std::string domain_for(const std::string& from_domain) const override;

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override;

 private:
  using Job = std::move_only_function<void()>;

  void run();
  using Fields = std::expected<std::string, ports::SignError>;

  std::expected<ports::Signatures, ports::SignError> sign_now(
      const ports::SignRequest& request) const;
  Fields dkim_fields(const SigningKeys& keys, const ports::SignRequest& request) const;
  static Fields arc_fields(const SigningKeys& keys, const ports::SignRequest& request,
                           const std::string& header_block);

  const base::Published<SigningKeys>& keys_;
  const OrganisationalDomain organisations_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace relay::auth
