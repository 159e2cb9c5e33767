#include "tests/fakes/scripted_stream.hpp"

#include <algorithm>
#include <utility>

namespace relay::fakes {

namespace {

void end_wait(Wire& wire) {
  if (wire.wake) std::exchange(wire.wake, {})(true);
}

bool is_cut(const base::Deadline& deadline) {
  return deadline.cut != nullptr && deadline.cut->made();
}

}  // namespace

ScriptedStream::ScriptedStream(std::shared_ptr<Wire> wire, std::string peer,
                               std::optional<ports::TlsInfo> tls)
    : wire_(std::move(wire)),
      peer_{boost::asio::ip::make_address(peer), 40000},
      local_{boost::asio::ip::make_address("192.0.2.25"), 25},
      tls_(std::move(tls)) {}

ScriptedStream::~ScriptedStream() { close(); }

base::Task<std::expected<std::size_t, ports::IoError>> ScriptedStream::read_some(
    std::span<char> into, base::Deadline deadline) {
  const std::shared_ptr<Wire> wire = wire_;
  wire->read_deadlines.push_back(deadline);
  if (wire->before_read) wire->before_read();
  if (wire->closed) co_return std::unexpected(ports::IoError::Closed);
  if (is_cut(deadline)) co_return std::unexpected(ports::IoError::Timeout);
  if (wire->incoming.empty() && wire->wait_at_end) {
    const base::Cut::Wait wait(deadline.cut, [&wire] { end_wait(*wire); });
    const bool woken =
        co_await base::await_answer<bool>([&wire](auto resume) { wire->wake = std::move(resume); });
    static_cast<void>(woken);
    co_return std::unexpected(is_cut(deadline) ? ports::IoError::Timeout : ports::IoError::Closed);
  }
  if (wire->incoming.empty()) co_return std::unexpected(wire->at_end);

  std::string& front = wire->incoming.front();
  if (!std::exchange(piece_begun_, true)) wire->transcript += "<read>\r\n";
  const std::size_t octets = std::min(front.size(), into.size());
  std::copy_n(front.begin(), octets, into.begin());
  front.erase(0, octets);
  if (front.empty()) {
    wire->incoming.pop_front();
    piece_begun_ = false;
  }
  co_return octets;
}

base::Task<std::expected<void, ports::IoError>> ScriptedStream::write(std::string_view octets,
                                                                      base::Deadline deadline) {
  if (wire_->closed) co_return std::unexpected(ports::IoError::Closed);
  if (is_cut(deadline)) co_return std::unexpected(ports::IoError::Timeout);
  if (wire_->write_fails) co_return std::unexpected(ports::IoError::Reset);
  wire_->sent += octets;
  wire_->transcript += octets;
  wire_->writes.emplace_back(octets);
  std::expected<void, ports::IoError> ok;
  co_return ok;
}

std::size_t ScriptedStream::write_now(std::string_view octets) noexcept {
  if (wire_->closed || wire_->write_fails) return 0;
  const std::string_view taken = octets.substr(0, wire_->takes_now);
  wire_->sent += taken;
  wire_->transcript += taken;
  return taken.size();
}

void ScriptedStream::close() noexcept {
  wire_->closed = true;
  end_wait(*wire_);
}

base::Task<std::expected<void, ports::IoError>> ScriptedTlsAcceptor::await_hello(ports::Stream&,
                                                                                 base::Deadline) {
  ++hellos;
  std::expected<void, ports::IoError> here;
  if (before_hello && !before_hello()) here = std::unexpected(ports::IoError::Timeout);
  co_return here;
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>>
ScriptedTlsAcceptor::accept(std::unique_ptr<ports::Stream> plain, base::Deadline deadline) {
  ++handshakes;
  if (in_handshake) in_handshake();
  if (stalls && deadline.cut != nullptr) {
    co_await stall(deadline.cut);
    co_return std::unexpected(ports::IoError::Timeout);
  }
  if (fails) co_return std::unexpected(ports::IoError::TlsFailed);
  const std::string peer = plain->peer().address.to_string();
  co_return std::make_unique<ScriptedStream>(
      wire, peer, ports::TlsInfo{"TLSv1.3", "TLS_AES_256_GCM_SHA384", false});
}

base::Task<> ScriptedTlsAcceptor::stall(base::Cut* cut) {
  if (cut->made()) co_return;
  std::move_only_function<void(bool)> wake;
  const base::Cut::Wait wait(cut, [&wake] {
    if (wake) std::exchange(wake, {})(true);
  });
  const bool woken =
      co_await base::await_answer<bool>([&wake](auto resume) { wake = std::move(resume); });
  static_cast<void>(woken);
}

}  // namespace relay::fakes
