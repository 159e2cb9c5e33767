#include "relay/net/lingering.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <span>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/base/timer.hpp"

namespace relay::net {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kStep{100};

}  // namespace

void Lingering::take(int descriptor) noexcept {
  const auto now = std::chrono::steady_clock::now();
  Guest guest{.descriptor = descriptor, .until = now + kSpan, .heard_at = now};
  // Most peers have closed already, or are idle and close soon.
  if (ended_ || is_over(guest, now)) {
    ::close(descriptor);
    return;
  }
  if (count_ == guests_.size()) {
    ::close(guests_.front().descriptor);
    std::move(guests_.begin() + 1, guests_.end(), guests_.begin());
    --count_;
  }
  guests_[count_++] = guest;
  if (!sweeping_ && !start()) look_at_all(base::SteadyTime::max());
}

/// False: there is no memory for the task.
bool Lingering::start() noexcept {
  sweeping_ = true;
  try {
    asio::co_spawn(io_.get_executor(), sweep(), [](const std::exception_ptr&) {});
    return true;
  } catch (const std::exception&) {
    sweeping_ = false;
    return false;
  }
}

base::Task<> Lingering::sweep() {
  // However the task ends: nothing would check the remaining sockets later, so close them.
  struct Sweeping {
    Lingering& lingering;

    ~Sweeping() {
      lingering.sweeping_ = false;
      lingering.look_at_all(base::SteadyTime::max());
    }
  };

  const Sweeping sweeping{*this};
  base::Timer timer(io_.get_executor());
  while (count_ > 0) {
    timer.expires_after(kStep);
    co_await timer.async_wait(asio::as_tuple(base::use_task));
    look_at_all(std::chrono::steady_clock::now());
  }
}

void Lingering::look_at_all(base::SteadyTime now) noexcept {
  const auto guests = std::span(guests_).first(count_);
  const auto gone = std::ranges::remove_if(guests, [now](Guest& guest) {
    const bool over = is_over(guest, now);
    if (over) ::close(guest.descriptor);
    return over;
  });
  count_ -= gone.size();
}

bool Lingering::is_over(Guest& guest, base::SteadyTime now) noexcept {
  constexpr int kRounds = 8;
  std::array<char, 16'384> scrap;
  for (int i = 0; i < kRounds && now < guest.until && guest.octets < kMostOctets; ++i) {
    const ssize_t got = ::recv(guest.descriptor, scrap.data(), scrap.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    if (got == 0) return true;
    guest.octets += static_cast<std::size_t>(got);
    guest.heard_at = now;
  }
  return now >= guest.until || guest.octets >= kMostOctets;
}

bool Lingering::settle(base::SteadyTime now) noexcept {
  look_at_all(now);
  return std::ranges::all_of(std::span(guests_).first(count_), [now](const Guest& guest) {
    int unacknowledged = 0;
    return ::ioctl(guest.descriptor, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0 &&
           now - guest.heard_at >= kQuiet;
  });
}

void Lingering::end() noexcept {
  ended_ = true;
  look_at_all(base::SteadyTime::max());
}

}  // namespace relay::net
