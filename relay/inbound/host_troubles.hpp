// Counts mail that was put off because of trouble on this host, which only its operator can end
// (guarantee "Trouble of this host is told").
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "relay/base/time.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

enum class HostTrouble : std::uint8_t {
  Disk,         ///< no room for mail
  Storage,      ///< the queue fails in another way
  Dns,          ///< a lookup failed while the DNS was out of reach altogether
  Memory,       ///< too much content at once from all together, or no memory left
  Descriptors,  ///< connections could not be taken
};

/// Thread-safe; allocates nothing.
class HostTroubles {
 public:
  /// A trouble is over so long after it was noted last.
  static constexpr std::chrono::minutes kLasts{10};
  /// The DNS counts as out of reach so long after it last seemed to be.
  static constexpr std::chrono::minutes kOutage{2};

  struct Count {
    std::uint64_t times = 0;               ///< since the process started
    std::optional<base::SteadyTime> last;  ///< nullopt: never

    bool lasts(base::SteadyTime now) const { return last && now - *last <= kLasts; }
  };

  /// `resolver`: it tells an outage of ours from the dead servers of one sender.
  explicit HostTroubles(const ports::Resolver& resolver) : resolver_(resolver) {}

  /// The trouble of this host that a reply stands for; nullopt: the reply has another reason, such
  /// as a share that the client has used up.
  std::optional<HostTrouble> behind(const smtp::Reply& reply, base::SteadyTime now) const;

  void note(HostTrouble trouble, base::SteadyTime now) noexcept;
  Count of(HostTrouble trouble) const;

 private:
  struct Noted {
    std::atomic<std::uint64_t> times{0};
    std::atomic<base::SteadyTime::rep> last{0};
  };

  const ports::Resolver& resolver_;
  std::array<Noted, 5> noted_;
};

}  // namespace relay::inbound
