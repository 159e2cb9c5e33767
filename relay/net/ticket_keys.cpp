#include "relay/net/ticket_keys.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

namespace relay::net {

namespace {

using Kept = std::shared_ptr<TicketKeys>;

void forget(void* /*context*/, void* kept, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*number*/,
            void* /*pointer*/) {
  delete static_cast<Kept*>(kept);
}

/// The index in SSL_CTX of its keys. Connections keep the context alive, and so its keys.
int place_in_context() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &forget);
  return index;
}

bool set_mac(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

TicketKeys::Key::~Key() {
  for (auto* octets : {&cipher, &mac}) OPENSSL_cleanse(octets->data(), octets->size());
}

std::shared_ptr<TicketKeys> TicketKeys::of_process() {
  static const auto keys = std::make_shared<TicketKeys>();
  return keys;
}

bool TicketKeys::serve(std::shared_ptr<TicketKeys> keys, SSL_CTX* context) {
  auto kept = std::make_unique<Kept>(std::move(keys));
  if (SSL_CTX_set_ex_data(context, place_in_context(), kept.get()) != 1) return false;
  const Kept* const owned_by_context = kept.release();
  static_cast<void>(owned_by_context);
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &on_ticket) == 1;
}

void TicketKeys::turn(base::SteadyTime now) {
  if (previous_ && now - previous_->since >= 2 * kSpan) previous_.reset();
  if (!current_ || now - current_->since < kSpan) return;
  previous_ = now - current_->since < 2 * kSpan ? std::exchange(current_, {}) : std::nullopt;
  current_.reset();
}

std::optional<TicketKeys::Key> TicketKeys::to_seal_with() {
  const std::lock_guard lock(mutex_);
  const base::SteadyTime now = now_();
  turn(now);
  if (current_) return current_;
  Key fresh{.since = now};
  const auto fill = [](auto& octets) {
    return RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1;
  };
  if (fill(fresh.name) && fill(fresh.cipher) && fill(fresh.mac)) current_ = fresh;
  return current_;
}

std::optional<TicketKeys::Key> TicketKeys::to_open_with(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  turn(now_());
  for (const auto* key : {&current_, &previous_}) {
    if (*key && std::equal((*key)->name.begin(), (*key)->name.end(), name)) return *key;
  }
  return std::nullopt;
}

// Returns what OpenSSL expects: 0 no ticket, or no key of ours opens it; 1 done; 2 opened, and to
// be replaced by a new ticket.
int TicketKeys::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int sealing) {
  const auto* const kept =
      static_cast<Kept*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_in_context()));
  if (kept == nullptr) return 0;
  TicketKeys& keys = **kept;
  auto key = sealing != 0 ? keys.to_seal_with() : keys.to_open_with(name);
  if (!key) return 0;
  const EVP_CIPHER* const aes = EVP_aes_256_cbc();
  bool good = set_mac(mac, key->mac);
  if (sealing != 0) {
    std::ranges::copy(key->name, name);
    good = good && RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 &&
           EVP_EncryptInit_ex(cipher, aes, nullptr, key->cipher.data(), iv) == 1;
  } else {
    good = good && EVP_DecryptInit_ex(cipher, aes, nullptr, key->cipher.data(), iv) == 1;
  }
  if (!good) return 0;
  return sealing == 0 && keys.now_() - key->since >= kSpan ? 2 : 1;
}

}  // namespace relay::net
