#include "relay/auth/openssl_signer.hpp"

#include <utility>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth {

using ports::SignError;

OpensslSigner::OpensslSigner(const base::Published<SigningKeys>& keys, std::size_t threads)
    : keys_(keys) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

OpensslSigner::~OpensslSigner() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void OpensslSigner::run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

std::string OpensslSigner::domain_for(const std::string& from_domain) const {
  const auto keys = keys_.get();
  const SigningDomain* signer =
      choose_signing_domain(keys->domains, from_domain, false, organisations_);
  return signer ? signer->domain : std::string();
}

base::Task<std::expected<ports::Signatures, SignError>> OpensslSigner::sign(
    ports::SignRequest request) {
  using Result = std::expected<ports::Signatures, SignError>;
  const auto keys = keys_.get();
  if (keys->domains.empty() && !(request.seal && keys->sealer)) co_return ports::Signatures{};
  if (threads_.empty()) co_return sign_now(request);
  co_return co_await base::await_answer<Result>(
      [this, request = std::move(request)](auto resume) mutable {
        {
          const std::lock_guard lock(mutex_);
          jobs_.push_back([this, request = std::move(request),
                           resume = std::move(resume)]() mutable { resume(sign_now(request)); });
        }
        wake_.notify_one();
      });
}

std::expected<ports::Signatures, SignError> OpensslSigner::sign_now(
    const ports::SignRequest& request) const {
  const auto keys = keys_.get();
  auto dkim = dkim_fields(*keys, request);
  if (!dkim) return std::unexpected(dkim.error());
  auto arc = arc_fields(*keys, request, *dkim + request.header_block);
  if (!arc) return std::unexpected(arc.error());
  return ports::Signatures{std::move(*dkim), std::move(*arc)};
}

OpensslSigner::Fields OpensslSigner::dkim_fields(const SigningKeys& keys,
                                                 const ports::SignRequest& request) const {
  if (request.unsigned_dkim) return std::string();
  const SigningDomain* signer =
      choose_signing_domain(keys.domains, request.from_domain, request.own_message, organisations_);
  if (!signer) return std::string();
  const auto fields = mail::readable_fields(request.header_block);
  std::string out;
  for (const SelectorKey& entry : signer->keys) {
    const dkim::SignatureRequest one{.domain = signer->domain,
                                     .selector = entry.selector,
                                     .body_hash = request.relaxed_body_sha256,
                                     .now_unix = request.now_unix,
                                     .fields = fields};
    const std::string field = dkim::make_signature_field(one, entry.key);
    if (field.empty()) return std::unexpected(SignError::CryptoFailed);
    out += field;
  }
  return out;
}

OpensslSigner::Fields OpensslSigner::arc_fields(const SigningKeys& keys,
                                                const ports::SignRequest& request,
                                                const std::string& header_block) {
  if (!request.seal || !keys.sealer) return std::string();
  const arc::SealOrder order{.results = request.seal->results,
                             .chain = request.seal->chain,
                             .body_hash = request.relaxed_body_sha256,
                             .now_unix = request.now_unix};
  auto set = arc::make_set(mail::readable_fields(header_block), order, *keys.sealer);
  if (!set) return std::unexpected(SignError::CryptoFailed);
  return std::move(*set);
}

}  // namespace relay::auth
