// One connection of the simulated network, with the server's end in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "relay/base/bell.hpp"
#include "relay/ports/stream.hpp"
#include "tests/simulation/mood.hpp"
#include "tests/simulation/sim_clock.hpp"

namespace relay::simulation {

/// How the client left.
struct Farewell {
  bool died = false;      ///< its process did
  bool awaiting = false;  ///< a reply that had not come, of a server that was still there
  Step step = Step::Connect;
  std::chrono::milliseconds waited{0};
};

/// The server at the other end. It hears octets at the moment they are written.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void receive(std::string_view octets) = 0;
  virtual void client_left(const Farewell& farewell) = 0;

  virtual bool reads() const { return true; }
};

/// Octets of the server take time to arrive, in order. Octets of the client take none: the client
/// cannot tell a late octet from a late reply.
class Link {
 public:
  explicit Link(SimClock& clock) : clock_(clock) {}

  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Closes.
  ~Link();

  void attach(std::unique_ptr<Peer> peer) { peer_ = std::move(peer); }

  // For the server.

  /// A reply of which the client can read the end `delay` from now, unless earlier ones take
  /// longer. With `drip`, its octets come one by one until then.
  void say(std::string text, Step step, std::chrono::milliseconds delay, bool drip = false);

  /// The server owes a reply, and will never send it.
  void keep_silent(Step step);

  /// The connection is broken. The client learns it as `error` after the octets already sent; if
  /// `error` is Reset, at once, and unread octets are lost.
  void hang_up(ports::IoError error, std::chrono::milliseconds delay);

  /// The step of the latest reply that the client has not read to its end; nullopt: it has read
  /// every reply.
  std::optional<Step> unread_reply();

  bool hung_up() const { return ended_; }

  // For the client.

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(std::span<char> into,
                                                                   base::Deadline deadline);
  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline deadline);
  bool has_unread();
  void close(bool died) noexcept;

  Peer& peer() { return *peer_; }

  SimClock& clock() { return clock_; }

 private:
  struct Piece {
    base::SteadyTime at;
    std::string text;
    bool ends_reply = false;
  };

  struct Owed {
    Step step;
    base::SteadyTime since;
  };

  void arrive();
  std::optional<ports::IoError> end_reached() const;
  base::SteadyTime next_arrival() const;

  SimClock& clock_;
  std::unique_ptr<Peer> peer_;
  std::deque<Piece> pieces_;      ///< on their way, in order
  std::deque<Owed> owed_;         ///< replies that the client has not read to their end
  std::string ready_;             ///< can be read
  std::size_t read_ = 0;          ///< of ready_
  std::deque<std::size_t> ends_;  ///< of replies in ready_
  std::optional<ports::IoError> end_;
  base::SteadyTime end_at_;
  bool ended_ = false;   ///< the server has
  bool closed_ = false;  ///< the client has
  bool wrote_into_nothing_ = false;
  base::Bell reader_;
  base::Bell writer_;
};

}  // namespace relay::simulation
