// Real sessions over real sockets, with clients that are cancelled, reset, half-closed
// and silent at random, and servers that drain or die under them. No session hangs, none is lost
// from the books, nothing is used after its end (run with the sanitizers, too).
#include <array>
#include <future>
#include <random>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "relay/inbound/acceptor.hpp"
#include "relay/net/listener.hpp"
#include "relay/net/pool_dialer.hpp"
#include "relay/net/system_clock.hpp"
#include "relay/net/tls_acceptor.hpp"
#include "tests/chaos/quiet_house.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/inbound/test_planner.hpp"
#include "tests/net/certificates.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<base::Published<Policy>> policy() {
  auto made = std::make_shared<Policy>(test_policy_base());
  made->hostname = "mx.example.org";
  made->offer_starttls = true;
  made->limits.command = 1s;  // some clients fall silent
  made->limits.content = 1s;
  made->limits.connections_per_client = 1000;
  made->limits.connections_per_network = 1000;
  made->limits.connections_from_client.count = 0;
  made->limits.handshakes_from_client.count = 0;
  made->limits.memory = 16ULL << 20;
  made->limits.memory_per_network = 8ULL << 20;
  made->limits.session = 3s;
  made->limits.max_errors = 1000;
  return std::make_unique<base::Published<Policy>>(std::move(made));
}

/// The inbound side over sockets: acceptor, two shards, a queue in memory.
struct Server {
  explicit Server(const base::Published<net::TlsContext>& tls)
      : tls_acceptor(tls),
        policy_now(policy()),
        services{clock,   queue,         tokens, consent,     signer,   resolver,
                 feed,    &tls_acceptor, log,    *policy_now, memory,   bounces,
                 resends, refusals,      waste,  handshakes,  watchdog, abuse},
        acceptor(services),
        shards(2) {
    ports::Endpoint wanted{boost::asio::ip::make_address("127.0.0.1"), 0};
    for (std::size_t i = 0; i < shards.size(); ++i) {
      auto opened = net::Listener::open(
          shards.at(i), {&wanted, 1},
          [this, executor = shards.at(i).executor()](std::unique_ptr<ports::Stream> stream) {
            acceptor.admit(std::move(stream), executor);
          },
          {});
      if (!opened) throw std::runtime_error(opened.error());
      listeners.push_back(std::move(*opened));
      wanted = listeners.front()->endpoints().front();
    }
    endpoint = wanted;
    shards.run();
    for (auto& listener : listeners) listener->start();
  }

  ~Server() {
    for (auto& listener : listeners) listener->stop();
    shards.stop();
    shards.join();
  }

  net::SystemClock clock;
  CountingQueue queue;
  NoTokens tokens;
  NoConsent consent;
  NoGreylist greylist;
  QuietSigner signer;
  CountingFeed feed;
  support::SilentLog log;
  net::OpensslAcceptor tls_acceptor;
  std::unique_ptr<base::Published<Policy>> policy_now;
  FairShare memory{clock};
  BounceGuard bounces;
  ResendGuard resends;
  fakes::FakeResolver resolver{clock, ""};
  RefusalLog refusals{log, resolver};
  WasteGuard waste;
  Handshakes handshakes{clock};
  base::Watchdog watchdog;
  AbuseControl abuse{resolver, greylist, clock, log};
  Services services;
  Acceptor acceptor;
  net::ShardPool shards;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  ports::Endpoint endpoint;
};

struct Counts {
  std::atomic<int> acknowledged{0};
  std::atomic<int> secured{0};
};

/// Says what an MTA says, but may stop, vanish or fall silent at any point.
class Client {
 public:
  Client(ports::Dialer& dialer, ports::Endpoint server, unsigned seed, Counts& counts)
      : dialer_(dialer), server_(std::move(server)), dice_(seed), counts_(counts) {}

  base::Task<> run() {
    auto connected = co_await dialer_.connect(server_, std::nullopt, soon());
    if (!connected) co_return;
    stream_ = std::move(*connected);
    if (!co_await heard() || !co_await say("EHLO c.example\r\n")) co_return;
    if (chance(3)) {
      if (!co_await say("STARTTLS\r\n")) co_return;
      if (chance(4)) co_return;  // no handshake at all
      auto tls = co_await dialer_.start_tls(std::move(stream_), "mx.example.org",
                                            {.level = mail::TlsLevel::May}, soon());
      if (!tls) co_return;
      stream_ = std::move(*tls);
      ++counts_.secured;
      if (!co_await say("EHLO c.example\r\n")) co_return;
    }
    const auto messages = 1 + roll(4);
    for (unsigned i = 0; i < messages; ++i) {
      if (!co_await message()) co_return;
    }
    co_await say("QUIT\r\n");
  }

 private:
  static base::Deadline soon() { return base::Deadline::after(5s); }

  unsigned roll(unsigned sides) {
    return std::uniform_int_distribution<unsigned>(0, sides - 1)(dice_);
  }

  bool chance(unsigned one_in) { return roll(one_in) == 0; }

  base::Task<bool> message() {
    if (!co_await say("MAIL FROM:<a@b.example>\r\n")) co_return false;
    if (!co_await say("RCPT TO:<info@example.org>\r\n")) co_return false;
    if (!co_await say("DATA\r\n")) co_return false;
    const auto lines = roll(3000);
    std::string content = "Subject: x\r\n\r\n";
    for (unsigned i = 0; i < lines; ++i) content += "0123456789012345678901234567890123456789\r\n";
    const auto sent = co_await stream_->write(content, soon());
    if (!sent || chance(8)) co_return false;
    if (!co_await say(".\r\n")) co_return false;
    if (last_.starts_with("250 2.0.0 queued")) ++counts_.acknowledged;
    co_return true;
  }

  base::Task<bool> say(std::string line) {
    if (chance(40)) co_return false;                    // gone
    if (chance(60)) co_return co_await heard();         // silent
    if (chance(10)) line.insert(line.size() / 2, "x");  // nonsense
    const auto sent = co_await stream_->write(line, soon());
    if (!sent) co_return false;
    co_return co_await heard();
  }

  /// Reads one reply, however odd it is.
  base::Task<bool> heard() {
    std::array<char, 2048> buffer{};
    const auto got = co_await stream_->read_some(buffer, soon());
    if (!got) co_return false;
    last_.assign(buffer.data(), *got);
    co_return !last_.starts_with("421");
  }

  ports::Dialer& dialer_;
  ports::Endpoint server_;
  std::mt19937 dice_;
  Counts& counts_;
  std::unique_ptr<ports::Stream> stream_;
  std::string last_;
};

base::Task<> live(std::unique_ptr<Client> client) { co_await client->run(); }

/// Clients on a shard of their own; some are cancelled by asio's own means, at random.
class Crowd {
 public:
  Crowd(const ports::Endpoint& server, std::size_t size, unsigned seed, Counts& counts)
      : pool_(1), dialer_(pool_, tls()), signals_(size) {
    for (std::size_t i = 0; i < size; ++i) {
      auto client =
          std::make_unique<Client>(dialer_, server, seed + static_cast<unsigned>(i), counts);
      boost::asio::co_spawn(
          pool_.at(0).executor(), live(std::move(client)),
          boost::asio::bind_cancellation_slot(signals_[i].slot(),
                                              [this](const std::exception_ptr&) { ++ended_; }));
    }
    pool_.run();
  }

  void cancel(std::size_t number) {
    boost::asio::post(pool_.at(0).executor(), [this, number] {
      signals_[number].emit(boost::asio::cancellation_type::terminal);
    });
  }

  bool all_ended_within(std::chrono::seconds span) const {
    const auto until = std::chrono::steady_clock::now() + span;
    while (ended_ < signals_.size()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(5ms);
    }
    return true;
  }

 private:
  static net::ClientTls tls() {
    const auto context =
        std::make_shared<const net::TlsContext>(*net::TlsContext::client(mail::TlsLevel::May));
    return {context, context, context};
  }

  net::ShardPool pool_;
  net::PoolDialer dialer_;
  std::deque<boost::asio::cancellation_signal> signals_;
  std::atomic<std::size_t> ended_{0};
};

class Chaos : public testing::Test {
 protected:
  Chaos()
      : tls_(std::make_shared<const net::TlsContext>(
            *net::TlsContext::server(net::make_certificate(folder_, "server", "mx.example.org")))) {
  }

  net::TemporaryFolder folder_;
  base::Published<net::TlsContext> tls_;
  Counts counts_;
};

constexpr std::size_t kCrowd = 60;

TEST_F(Chaos, NoSessionOutlivesItsDeadlinesAndTheBooksAreBalanced) {
  for (unsigned round = 0; round < 6; ++round) {
    Server server(tls_);
    Crowd crowd(server.endpoint, kCrowd, 1000 * round, counts_);
    std::mt19937 dice(round);
    for (int i = 0; i < 25; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 8));
      crowd.cancel(dice() % kCrowd);
    }
    EXPECT_TRUE(crowd.all_ended_within(20s));
    if (round % 2 == 0) server.acceptor.drain();
    auto drained = boost::asio::co_spawn(server.shards.at(0).executor(),
                                         server.acceptor.drained(base::Deadline::after(15s)),
                                         boost::asio::use_future);
    EXPECT_TRUE(drained.get()) << "a session hangs";
    EXPECT_EQ(server.acceptor.sessions(), 0U);
    EXPECT_EQ(server.memory.held(), 0U);
    EXPECT_EQ(server.queue.drafts(), 0U);
    EXPECT_EQ(server.feed.expected(), 0U);
    EXPECT_TRUE(server.watchdog.newly_overdue(base::SteadyTime::max()).empty());
    EXPECT_GE(server.queue.messages(), static_cast<std::size_t>(counts_.acknowledged.exchange(0)));
  }
  EXPECT_GT(counts_.secured, 0);
}

TEST_F(Chaos, AServerMayDieUnderItsSessions) {
  for (unsigned round = 0; round < 15; ++round) {
    auto server = std::make_unique<Server>(tls_);
    Crowd crowd(server->endpoint, kCrowd, 77 * round, counts_);
    std::mt19937 dice(round);
    std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 60));
    if (round % 3 == 0) server->acceptor.drain();
    server.reset();  // destroys what coroutines were left
    EXPECT_TRUE(crowd.all_ended_within(20s));
  }
}

}  // namespace
}  // namespace relay::inbound
