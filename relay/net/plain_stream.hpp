// A connection without TLS.
#pragma once

#include <memory>

#include "relay/net/connection.hpp"
#include "relay/ports/stream.hpp"

namespace relay::net {

/// Buffers no octets: what read_some() has not returned is still in the kernel. After a read that
/// timed out, writing still works, for a last reply; after a failed write nothing does.
class PlainStream final : public ports::Stream {
 public:
  explicit PlainStream(std::unique_ptr<Connection> connection);
  ~PlainStream() override;

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(
      std::span<char> into, base::Deadline deadline) override;
  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline deadline) override;
  std::size_t write_now(std::string_view octets) noexcept override;
  void close() noexcept override;

  void expect_silence() noexcept override {
    if (connection_) connection_->expect_silence();
  }

  void last_words(std::string_view octets) noexcept override;

  bool has_unread() override { return connection_ && connection_->has_unread(); }

  std::size_t unacknowledged() const override {
    return connection_ ? connection_->unacknowledged() : 0;
  }

  const ports::Endpoint& peer() const override { return peer_; }

  const ports::Endpoint& local() const override { return local_; }

  std::optional<ports::TlsInfo> tls() const override { return std::nullopt; }

  /// Waits until a read would return something, even the end; may return too early.
  base::Task<std::expected<void, ports::IoError>> wait_readable(base::Deadline deadline);

  /// Hands the connection over to TLS; the stream is Closed from then on. Null if it was already.
  std::unique_ptr<Connection> release();

 private:
  base::Task<std::expected<std::size_t, ports::IoError>> read_at_once(std::span<char> into,
                                                                      base::Deadline deadline);

  std::unique_ptr<Connection> connection_;  ///< null once closed or released
  const ports::Endpoint peer_;
  const ports::Endpoint local_;
  bool write_broken_ = false;
};

}  // namespace relay::net
