// ports::Signer on OpenSSL, with a small pool of threads of its own: one RSA signature costs as
// much as everything else a message needs, and must not hold up a shard.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "relay/auth/signing_policy.hpp"
#include "relay/base/published.hpp"
#include "relay/ports/signer.hpp"

namespace relay::auth {

using SigningDomains = std::vector<SigningDomain>;

class OpensslSigner final : public ports::Signer {
 public:
  /// `domains` may be swapped at any time; a message is signed with the set it finds.
  OpensslSigner(const base::Published<SigningDomains>& domains, std::size_t threads);
  ~OpensslSigner() override;

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override;

 private:
  using Job = std::move_only_function<void()>;

  void run();
  using Fields = std::expected<std::string, ports::SignError>;

  std::expected<ports::Signatures, ports::SignError> sign_now(
      const ports::SignRequest& request) const;
  Fields dkim_fields(const SigningDomains& domains, const ports::SignRequest& request) const;
  static Fields arc_fields(const SigningDomains& domains, const ports::SignRequest& request,
                           const std::string& header_block);

  const base::Published<SigningDomains>& domains_;
  const OrganisationalDomain organisations_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace relay::auth
