#include "relay/base/ulid.hpp"

#include <cstring>
#include <stdexcept>

#include <openssl/rand.h>

namespace relay::base {

namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTextLength = 26;

int digit_value(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// Random octets for the ids of one thread, fetched in blocks: a call of OpenSSL's generator costs
/// the same for ten octets as for hundreds.
class RandomOctets {
 public:
  std::array<std::uint8_t, 10> take() {
    if (left_ == 0) refill();
    return pool_.at(--left_);
  }

 private:
  void refill() {
    if (RAND_bytes(pool_.front().data(), static_cast<int>(sizeof pool_)) != 1) {
      throw std::runtime_error("the system's random source failed");
    }
    left_ = pool_.size();
  }

  std::array<std::array<std::uint8_t, 10>, 64> pool_{};
  std::size_t left_ = 0;
};

}  // namespace

Ulid Ulid::make(WallTime now, const std::array<std::uint8_t, 10>& random) {
  std::array<std::uint8_t, 16> octets{};
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (unsigned i = 0; i < 6; ++i) octets[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::memcpy(octets.data() + 6, random.data(), random.size());
  return Ulid(octets);
}

Ulid Ulid::generate(WallTime now) {
  thread_local RandomOctets random;
  return make(now, random.take());
}

std::optional<Ulid> Ulid::parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  // 26 digits hold 130 bits: the first digit may carry only the top three of the 128.
  if (digit_value(text[0]) > 7) return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  unsigned __int128 value = 0;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit < 0) return std::nullopt;
    value = (value << 5) | static_cast<unsigned>(digit);
  }
  for (unsigned i = 0; i < 16; ++i) octets[i] = static_cast<std::uint8_t>(value >> (120 - 8 * i));
  return Ulid(octets);
}

std::string Ulid::to_string() const {
  unsigned __int128 value = 0;
  for (const std::uint8_t octet : octets_) value = (value << 8) | octet;
  std::string text(kTextLength, '0');
  for (std::size_t i = kTextLength; i-- > 0; value >>= 5) {
    text[i] = kAlphabet[static_cast<std::size_t>(value & 31U)];
  }
  return text;
}

WallTime Ulid::time() const {
  std::uint64_t ms = 0;
  for (unsigned i = 0; i < 6; ++i) ms = (ms << 8) | octets_[i];
  return WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(ms)}};
}

}  // namespace relay::base

std::size_t std::hash<relay::base::Ulid>::operator()(const relay::base::Ulid& id) const noexcept {
  // The last eight octets are random already.
  std::uint64_t tail = 0;
  std::memcpy(&tail, id.octets().data() + 8, sizeof tail);
  return tail;
}
