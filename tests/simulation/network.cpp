#include "tests/simulation/network.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "tests/simulation/server_session.hpp"

namespace relay::simulation {

using ports::IoError;
using ports::TlsError;
using std::chrono::milliseconds;

namespace {

class SimStream final : public ports::Stream {
 public:
  SimStream(Network& network, std::unique_ptr<Link> link, ports::Endpoint remote,
            ports::Endpoint local, std::optional<ports::TlsInfo> tls)
      : network_(network),
        link_(std::move(link)),
        peer_(std::move(remote)),
        local_(std::move(local)),
        tls_(std::move(tls)) {}

  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  ~SimStream() override { close(); }

  base::Task<std::expected<std::size_t, IoError>> read_some(std::span<char> into,
                                                            base::Deadline deadline) override {
    if (!link_) co_return std::unexpected(IoError::Closed);
    const auto octets = co_await link_->read_some(into, deadline);
    co_await network_.perhaps_yield();
    co_return octets;
  }

  base::Task<std::expected<void, IoError>> write(std::string_view octets,
                                                 base::Deadline deadline) override {
    if (!link_) co_return std::unexpected(IoError::Closed);
    const auto written = co_await link_->write(octets, deadline);
    co_await network_.perhaps_yield();
    co_return written;
  }

  void close() noexcept override {
    if (link_) link_->close(network_.dying());
  }

  bool has_unread() override { return link_ && link_->has_unread(); }

  const ports::Endpoint& peer() const override { return peer_; }

  const ports::Endpoint& local() const override { return local_; }

  std::optional<ports::TlsInfo> tls() const override { return tls_; }

  std::unique_ptr<Link> release() { return std::move(link_); }

 private:
  Network& network_;
  std::unique_ptr<Link> link_;
  ports::Endpoint peer_;
  ports::Endpoint local_;
  std::optional<ports::TlsInfo> tls_;
};

ServerSession& session_of(Link& link) { return static_cast<ServerSession&>(link.peer()); }

/// Whether the client minds what is wrong with the certificate.
TlsError certificate_error(const HandshakePlan& plan) {
  return {IoError::TlsFailed, plan.certificate};
}

}  // namespace

Host& Network::add_host(std::string name, std::vector<boost::asio::ip::address> addresses,
                        std::vector<std::string> own_domains) {
  Host& host = hosts_.emplace_back(common_, static_cast<int>(hosts_.size()), std::move(name),
                                   std::move(own_domains), random_.fork());
  for (const auto& address : addresses) by_address_[address.to_string()] = &host;
  return host;
}

std::size_t Network::connections() const {
  std::size_t all = 0;
  for (const Host& host : hosts_) all += host.connections();
  return all;
}

base::Task<> Network::perhaps_yield() {
  if (yields_ > 0 && random_.chance(yields_)) co_await boost::asio::post(base::use_task);
}

/// False: the deadline came first.
base::Task<bool> Network::wait(base::SteadyTime until, base::Deadline deadline) {
  base::Bell bell;
  const base::Cut::Wait watched(deadline.cut, [&bell] { bell.ring(); });
  while (common_.clock.steady() < until) {
    if (deadline.passed(common_.clock.steady())) co_return false;
    co_await common_.clock.sleep_until(std::min(until, deadline.at), bell);
  }
  co_return true;
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, IoError>> Network::connect(
    ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
    base::Deadline deadline) {
  if (deadline.passed(common_.clock.steady())) co_return std::unexpected(IoError::Timeout);
  const std::uint32_t number = ++common_.connections;
  const auto found = by_address_.find(remote.address.to_string());
  Host* const host = found == by_address_.end() ? nullptr : found->second;
  common_.witness.dialled({.connection = number,
                           .host = host != nullptr ? host->number() : -1,
                           .remote = remote,
                           .risk_pool = risk_source_ && source == risk_source_,
                           .offers_tls = host != nullptr && host->mood.understands_ehlo &&
                                         host->mood.tls != Tls::NotOffered});
  const auto trip = host != nullptr ? host->mood.round_trip : milliseconds{20};
  const bool silent = host == nullptr || host->reach == Reach::Silent;
  const auto answer_at = silent ? base::SteadyTime::max() : common_.clock.steady() + trip;
  const bool in_time = co_await wait(answer_at, deadline);
  const auto failed = [&](IoError error) {
    common_.witness.failed_to_connect(number);
    return std::unexpected(error);
  };
  if (!in_time) co_return failed(IoError::Timeout);
  if (host->reach == Reach::Unreachable) co_return failed(IoError::Unreachable);
  const Limit& limit = host->mood.connections;
  const bool one_too_many = limit.most > 0 && host->connections() >= limit.most;
  if (host->reach != Reach::Up || (one_too_many && limit.code == 0)) {
    co_return failed(IoError::Refused);
  }
  auto link = std::make_unique<Link>(common_.clock);
  auto session = std::make_unique<ServerSession>(*host, *link, number);
  ServerSession& server = *session;
  link->attach(std::move(session));
  server.greet(one_too_many);
  const boost::asio::ip::address unspecified =
      remote.address.is_v6() ? boost::asio::ip::address(boost::asio::ip::address_v6::loopback())
                             : boost::asio::ip::address(boost::asio::ip::address_v4(0xC6336401));
  co_return std::make_unique<SimStream>(*this, std::move(link), remote,
                                        ports::Endpoint{source.value_or(unspecified), 40000},
                                        std::nullopt);
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, TlsError>> Network::start_tls(
    std::unique_ptr<ports::Stream> plain, std::string, mail::TlsDemand demand,
    base::Deadline deadline) {
  auto* const ours = dynamic_cast<SimStream*>(plain.get());
  const ports::Endpoint remote = plain->peer();
  const ports::Endpoint local = plain->local();
  std::unique_ptr<Link> link = ours != nullptr ? ours->release() : nullptr;
  if (!link || link->has_unread()) co_return std::unexpected(TlsError{});
  ServerSession& server = session_of(*link);
  const HandshakePlan plan = server.shake_hands();
  const bool minds_certificate =
      demand.level == mail::TlsLevel::Verify && plan.certificate != mail::TlsResult::None;
  std::optional<TlsError> error;
  if (plan.outcome == Tls::FailsEarly) error = TlsError{};
  if (plan.outcome == Tls::ClosesEarly) error = TlsError{.error = IoError::Closed};
  if (!error && minds_certificate) error = certificate_error(plan);
  const bool answered = plan.outcome != Tls::StaysSilent;
  const auto at = answered ? common_.clock.steady() + plan.takes : base::SteadyTime::max();
  const bool in_time = co_await wait(at, deadline);
  if (!in_time) error = TlsError{.error = IoError::Timeout};
  // A connection that breaks late has broken for the server as well.
  const bool late = plan.outcome == Tls::FailsLate || plan.outcome == Tls::ClosesLate;
  server.shaken(!error && !late);
  if (error) {
    link->close(dying_);
    co_return std::unexpected(*error);
  }
  if (late) {
    server.hang_up(plan.outcome == Tls::FailsLate ? IoError::TlsFailed : IoError::Closed);
  }
  const ports::TlsInfo info{.version = "TLSv1.3",
                            .cipher = "TLS_AES_256_GCM_SHA384",
                            .verified = demand.level == mail::TlsLevel::Verify};
  co_return std::make_unique<SimStream>(*this, std::move(link), remote, local, info);
}

}  // namespace relay::simulation
