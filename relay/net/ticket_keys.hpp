// The keys that encrypt session tickets (RFC 5077). Whoever has a key can read every session
// resumed with it, so keys are short-lived (guarantee "Versions and keys").
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <openssl/types.h>

#include "relay/base/time.hpp"

namespace relay::net {

/// Thread-safe. A key encrypts tickets for kSpan and decrypts them for as long again; after that
/// the client makes a full handshake.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kSpan{2};

  explicit TicketKeys(std::function<base::SteadyTime()> now = std::chrono::steady_clock::now)
      : now_(std::move(now)) {}

  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /// One for all contexts of the process: a session may outlive the certificate it began with.
  static std::shared_ptr<TicketKeys> of_process();

  /// Makes `context` use and own `keys`. False: no memory.
  static bool serve(std::shared_ptr<TicketKeys> keys, SSL_CTX* context);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    base::SteadyTime since;

    ~Key();  ///< wipes the key
  };

  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int sealing);

  /// Removes keys that are too old. The lock is held.
  void turn(base::SteadyTime now);
  std::optional<Key> to_seal_with();
  std::optional<Key> to_open_with(const unsigned char* name);

  const std::function<base::SteadyTime()> now_;
  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;
};

}  // namespace relay::net
