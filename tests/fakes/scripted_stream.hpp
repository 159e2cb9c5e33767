// A connection whose peer follows a script: its octets come in the reads that the test wants, and
// all that it receives is kept.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/ports/stream.hpp"

namespace relay::fakes {

/// Both directions of a scripted connection; outlives the stream, so that a test can look at it.
struct Wire {
  std::deque<std::string> incoming;                ///< each is handed out by reads of its own
  ports::IoError at_end = ports::IoError::Closed;  ///< what a read behind the last one hears
  bool wait_at_end = false;  ///< instead, such a read waits until close(), or until it is cut off
  bool write_fails = false;
  std::size_t takes_now = 0;          ///< octets that each write_now() takes
  bool unread = false;                ///< what has_unread() says
  std::size_t unacknowledged = 0;     ///< what unacknowledged() says
  std::function<void()> before_read;  ///< e.g. to let time pass

  std::string sent;                 ///< everything written
  std::vector<std::string> writes;  ///< write by write
  /// What was written, with a line "<read>" wherever a new piece of `incoming` was begun.
  std::string transcript;
  std::vector<base::Deadline> read_deadlines;
  bool closed = false;
  bool expects_silence = false;  ///< expect_silence() was called
  std::string_view last_words;   ///< what was said without memory; a literal

  std::move_only_function<void(bool)> wake;  ///< the read that waits at the end
};

class ScriptedStream final : public ports::Stream {
 public:
  explicit ScriptedStream(std::shared_ptr<Wire> wire, std::string peer = "192.0.2.7",
                          std::optional<ports::TlsInfo> tls = std::nullopt);
  ~ScriptedStream() override;

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(
      std::span<char> into, base::Deadline deadline) override;
  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline deadline) override;
  std::size_t write_now(std::string_view octets) noexcept override;
  void close() noexcept override;

  void expect_silence() noexcept override { wire_->expects_silence = true; }

  void last_words(std::string_view octets) noexcept override { wire_->last_words = octets; }

  bool has_unread() override { return wire_->unread; }

  std::size_t unacknowledged() const override { return wire_->unacknowledged; }

  const ports::Endpoint& peer() const override { return peer_; }

  const ports::Endpoint& local() const override { return local_; }

  std::optional<ports::TlsInfo> tls() const override { return tls_; }

 private:
  std::shared_ptr<Wire> wire_;
  ports::Endpoint peer_;
  ports::Endpoint local_;
  std::optional<ports::TlsInfo> tls_;
  bool piece_begun_ = false;
};

/// STARTTLS without cryptography: what comes after the handshake is a second script.
class ScriptedTlsAcceptor final : public ports::TlsAcceptor {
 public:
  base::Task<std::expected<void, ports::IoError>> await_hello(ports::Stream& plain,
                                                              base::Deadline deadline) override;

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> accept(
      std::unique_ptr<ports::Stream> plain, base::Deadline deadline) override;

  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  bool fails = false;
  bool stalls = false;  ///< a handshake lasts until it is cut off, and then it is Timeout
  int handshakes = 0;
  int hellos = 0;                        ///< times somebody waited for the first octet
  std::function<bool()> before_hello{};  ///< false: the client is silent until the deadline
  std::function<void()> in_handshake{};  ///< e.g. to look at who holds what

 private:
  base::Task<> stall(base::Cut* cut);
};

}  // namespace relay::fakes
