// Counts mail answered with 4xx because of trouble on this host, which only its operator can end.
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
  Dns,      ///< a lookup failed; the sender's DNS may be the cause
  Memory,   ///< too much content at once, or no memory left
};

/// The trouble of this host that a reply stands for; nullopt: the reply has another reason.
std::optional<HostTrouble> trouble_behind(const smtp::Reply& reply);

/// Thread-safe; allocates nothing.
class HostTroubles {
 public:
  struct Count {
    std::uint64_t times = 0;  ///< since the process started
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
