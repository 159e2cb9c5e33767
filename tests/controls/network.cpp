// Between the delivery side and the network.
#include <algorithm>
#include <utility>

#include "tests/controls/sabotage.hpp"

namespace relay::controls {

namespace {

using boost::asio::ip::address;
using ports::DnsAnswer;
using ports::DnsError;
using ports::IoError;

/// Keeps RSET from the server, and answers it.
class WithoutReset final : public ports::Stream {
 public:
  explicit WithoutReset(std::unique_ptr<ports::Stream> below) : below_(std::move(below)) {}

  base::Task<std::expected<std::size_t, IoError>> read_some(std::span<char> into,
                                                            base::Deadline deadline) override {
    if (owed_.empty()) co_return co_await below_->read_some(into, deadline);
    const std::size_t count = owed_.copy(into.data(), into.size());
    owed_.erase(0, count);
    co_return count;
  }

  base::Task<std::expected<void, IoError>> write(std::string_view octets,
                                                 base::Deadline deadline) override {
    constexpr std::string_view kReset = "RSET\r\n";
    if (octets.starts_with(kReset)) {
      octets.remove_prefix(kReset.size());
      owed_ += "250 2.0.0 forgotten\r\n";
    }
    std::expected<void, IoError> written;
    if (!octets.empty()) written = co_await below_->write(octets, deadline);
    co_return written;
  }

  void close() noexcept override { below_->close(); }

  void last_words(std::string_view octets) noexcept override { below_->last_words(octets); }

  bool has_unread() override { return !owed_.empty() || below_->has_unread(); }

  std::size_t unacknowledged() const override { return below_->unacknowledged(); }

  const ports::Endpoint& peer() const override { return below_->peer(); }

  const ports::Endpoint& local() const override { return below_->local(); }

  std::optional<ports::TlsInfo> tls() const override { return below_->tls(); }

  std::unique_ptr<ports::Stream> release() { return std::move(below_); }

 private:
  std::unique_ptr<ports::Stream> below_;
  std::string owed_;  ///< of replies that the server has not given
};

class ResetForgotten final : public ports::Dialer {
 public:
  explicit ResetForgotten(ports::Dialer& below) : below_(below) {}

  base::Task<std::expected<std::unique_ptr<ports::Stream>, IoError>> connect(
      ports::Endpoint remote, std::optional<address> source, base::Deadline deadline) override {
    auto made = co_await below_.connect(std::move(remote), std::move(source), deadline);
    if (made) *made = std::make_unique<WithoutReset>(std::move(*made));
    co_return made;
  }

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) override {
    // The dialer below takes only streams of its own.
    auto own = static_cast<WithoutReset&>(*plain).release();
    auto made = co_await below_.start_tls(std::move(own), std::move(host), demand, deadline);
    if (made) *made = std::make_unique<WithoutReset>(std::move(*made));
    co_return made;
  }

 private:
  ports::Dialer& below_;
};

class HostsHidden final : public ports::Resolver {
 public:
  explicit HostsHidden(ports::Resolver& below) : below_(below) {}

  base::Task<std::expected<DnsAnswer<ports::MxHost>, DnsError>> mx(
      std::string domain, base::Deadline deadline) override {
    auto answer = co_await below_.mx(std::move(domain), deadline);
    if (answer) answer->records.resize(std::min<std::size_t>(answer->records.size(), 1));
    co_return answer;
  }

  base::Task<std::expected<DnsAnswer<address>, DnsError>> addresses(
      std::string host, base::Deadline deadline) override {
    return below_.addresses(std::move(host), deadline);
  }

  base::Task<std::expected<DnsAnswer<address>, DnsError>> addresses_of(
      std::string host, ports::IpFamily family, base::Deadline deadline) override {
    return below_.addresses_of(std::move(host), family, deadline);
  }

  base::Task<std::expected<DnsAnswer<std::string>, DnsError>> names(
      address of, base::Deadline deadline) override {
    return below_.names(std::move(of), deadline);
  }

  base::Task<std::expected<DnsAnswer<std::string>, DnsError>> txt(
      std::string name, base::Deadline deadline) override {
    return below_.txt(std::move(name), deadline);
  }

  std::optional<base::SteadyTime> last_outage() const override { return below_.last_outage(); }

 private:
  ports::Resolver& below_;
};

}  // namespace

std::unique_ptr<ports::Dialer> sabotaged(std::string_view sabotage, ports::Dialer& below) {
  if (sabotage == "reset-forgotten") return std::make_unique<ResetForgotten>(below);
  return nullptr;
}

std::unique_ptr<ports::Resolver> sabotaged(std::string_view sabotage, ports::Resolver& below) {
  if (sabotage == "hosts-hidden") return std::make_unique<HostsHidden>(below);
  return nullptr;
}

}  // namespace relay::controls
