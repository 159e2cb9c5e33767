#include "relay/base/secret.hpp"

#include <utility>

#include <openssl/crypto.h>

namespace relay::base {

Secret::Secret(Secret&& other) noexcept
    : octets_(other.octets_) {  // NOLINT(performance-move-constructor-init): wiped, not emptied
  other.wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    octets_ = other.octets_;
    other.wipe();
  }
  return *this;
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    octets_ = other.octets_;
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept {
  OPENSSL_cleanse(octets_.data(), octets_.size());
  octets_.clear();
}

}  // namespace relay::base
