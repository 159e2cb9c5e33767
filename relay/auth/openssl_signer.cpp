#include "relay/auth/openssl_signer.hpp"

#include <exception>
#include <utility>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth {

using ports::SignError;

namespace {

/// Takes the key from the DNS record that PrivateKey makes, so that this record is checked as well.
PublishedKey published(const std::string& domain, const std::string& selector,
                       const dkim::PrivateKey& key) {
  return {domain, selector, dkim::parse_key_record(key.dns_record()).value_or(dkim::KeyRecord{})};
}

}  // namespace

std::uint64_t usual_self_check_every() {
#ifdef RELAY_CHECKS_EVERY_SIGNATURE
  return 1;
#else
  return 1000;  // a check costs nearly half as much as the signing
#endif
}

OpensslSigner::OpensslSigner(const base::Published<SigningKeys>& keys, std::size_t threads,
                             SelfChecking checking)
    : keys_(keys), checking_(std::move(checking)) {
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
  if (threads_.empty()) co_return sign_now(request, *keys);
  co_return co_await base::await_answer<Result>(
      [this, request = std::move(request)](auto resume) mutable {
        {
          const std::lock_guard lock(mutex_);
          jobs_.push_back([this, request = std::move(request),
                           resume = std::move(resume)]() mutable { resume(try_to_sign(request)); });
        }
        wake_.notify_one();
      });
}

/// For pool threads, where nothing else would catch an exception.
std::expected<ports::Signatures, SignError> OpensslSigner::try_to_sign(
    const ports::SignRequest& request) {
  try {
    return sign_now(request, *keys_.get());
  } catch (const std::exception&) {
    return std::unexpected(SignError::CryptoFailed);
  }
}

std::expected<ports::Signatures, SignError> OpensslSigner::sign_now(
    const ports::SignRequest& request, const SigningKeys& keys) {
  const SigningDomain* signer = signer_of(keys, request);
  ports::Signatures made;
  if (signer != nullptr) {
    auto dkim = dkim_fields(*signer, request);
    if (!dkim) return std::unexpected(dkim.error());
    made.dkim_fields = std::move(*dkim);
  }
  if (request.seal && keys.sealer) {
    auto arc =
        arc_fields(*keys.sealer, request, made.dkim_fields + std::string(request.header->judged()));
    if (!arc) return std::unexpected(arc.error());
    made.arc_fields = std::move(*arc);
  }
  if (!holds(keys, signer, request, made)) return std::unexpected(SignError::SelfCheckFailed);
  return made;
}

const SigningDomain* OpensslSigner::signer_of(const SigningKeys& keys,
                                              const ports::SignRequest& request) const {
  if (request.unsigned_dkim) return nullptr;
  return choose_signing_domain(keys.domains, request.from_domain, request.own_message,
                               organisations_);
}

bool OpensslSigner::holds(const SigningKeys& keys, const SigningDomain* signer,
                          const ports::SignRequest& request, const ports::Signatures& made) {
  if (made.dkim_fields.empty() && made.arc_fields.empty()) return true;
  if (signed_.fetch_add(1, std::memory_order_relaxed) % checking_.every != 0) return true;
  checks_.fetch_add(1, std::memory_order_relaxed);
  std::vector<PublishedKey> signers;
  if (signer != nullptr) {
    for (const auto& [selector, key] : signer->keys) {
      signers.push_back(published(signer->domain, selector, key));
    }
  }
  std::optional<PublishedKey> sealer;
  if (keys.sealer) {
    sealer = published(keys.sealer->domain, keys.sealer->selector, keys.sealer->key);
  }
  const auto fault = fault_in({.arc_fields = made.arc_fields,
                               .dkim_fields = made.dkim_fields,
                               .header_block = request.header->judged(),
                               .body_hash = request.relaxed_body_sha256},
                              signers, sealer);
  if (!fault) return true;
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (checking_.on_fault) checking_.on_fault(*fault);
  return false;
}

OpensslSigner::Fields OpensslSigner::dkim_fields(const SigningDomain& signer,
                                                 const ports::SignRequest& request) {
  std::optional<std::int64_t> expires;
  if (request.lifetime) expires = request.now_unix + request.lifetime->count();
  std::string out;
  for (const SelectorKey& entry : signer.keys) {
    const dkim::SignatureRequest one{.domain = signer.domain,
                                     .selector = entry.selector,
                                     .body_hash = request.relaxed_body_sha256,
                                     .now_unix = request.now_unix,
                                     .expires_unix = expires,
                                     .fields = request.header->fields()};
    const std::string field = dkim::make_signature_field(one, entry.key);
    if (field.empty()) return std::unexpected(SignError::CryptoFailed);
    out += field;
  }
  return out;
}

OpensslSigner::Fields OpensslSigner::arc_fields(const arc::SealingKey& sealer,
                                                const ports::SignRequest& request,
                                                const std::string& header_block) {
  const arc::SealOrder order{.results = request.seal->results,
                             .chain = request.seal->chain,
                             .body_hash = request.relaxed_body_sha256,
                             .now_unix = request.now_unix};
  auto set = arc::make_set(mail::readable_fields(header_block), order, sealer);
  if (!set) return std::unexpected(SignError::CryptoFailed);
  return std::move(*set);
}

}  // namespace relay::auth
