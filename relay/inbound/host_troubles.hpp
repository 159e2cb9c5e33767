// Mail that is put off for what this host lacks: no sender can mend that, only its operator.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "relay/base/time.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

enum class HostTrouble : std::uint8_t {
  Disk,     ///< no room for mail
  Storage,  ///< the queue fails in another way
  Dns,      ///< what a message needs cannot be looked up; that may be its sender's fault
  Memory,   ///< too much content at once, or none left
};

/// The trouble for which a reply puts somebody off; nullopt: it has another reason.
std::optional<HostTrouble> trouble_behind(const smtp::Reply& reply);

/// Thread-safe; needs no memory.
class HostTroubles {
 public:
  struct Count {
    std::uint64_t times = 0;  ///< since the start
    std::optional<base::WallTime> last;
  };

  void note(HostTrouble trouble, base::WallTime now) noexcept;
  Count of(HostTrouble trouble) const;

 private:
  struct Noted {
    std::atomic<std::uint64_t> times{0};
    std::atomic<std::int64_t> last_ms{0};
  };

  std::array<Noted, 4> noted_;
};

}  // namespace relay::inbound
