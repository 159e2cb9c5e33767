// Everything a session needs, faked: one object per test.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/inbound/acceptor.hpp"
#include "relay/inbound/services.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/fakes/scripted_stream.hpp"

namespace relay::inbound {

/// Keeps what was committed for the test to look at; fails where told to. Not a queue.
class RecordingSpool final : public ports::Spool {
 public:
  struct Stored {
    ports::NewMessage message;
    std::string content;  ///< chunks put together
    std::size_t chunks = 0;
  };

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;
  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find_token(
      std::string token, base::WallTime now) override;

  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> greylist(
      ports::GreylistKey key, ports::GreylistRules rules, base::WallTime now) override {
    return waiting_list.greylist(std::move(key), rules, now);
  }

  // Answered out of what `stored` was given.
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies, base::WallTime now) override;

  bool poisoned() const noexcept override { return poison; }

  // Not asked by the inbound side.
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_since(base::WallTime since, std::size_t limit) override;
  base::Task<std::expected<mail::QueuedMessage, ports::SpoolError>> load(
      mail::MessageId id) override;
  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override;
  base::Task<std::expected<void, ports::SpoolError>> record(ports::Update update) override;
  base::Task<std::expected<std::vector<mail::QueueItem>, ports::SpoolError>> due(
      base::WallTime until, std::optional<ports::QueueCursor> cursor, std::size_t limit) override;
  base::Task<std::expected<std::optional<base::WallTime>, ports::SpoolError>> next_due(
      base::WallTime after) override;
  base::Task<std::expected<std::vector<ports::QueueRow>, ports::SpoolError>> list(
      ports::QueueFilter filter, std::optional<ports::QueueCursor> cursor,
      std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::AttemptRow>, ports::SpoolError>> attempts(
      mail::MessageId id) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> change(ports::QueueFilter filter,
                                                                     ports::QueueAction action,
                                                                     base::WallTime now) override;
  base::Task<std::expected<ports::QueueTotals, ports::SpoolError>> totals() override;

  std::vector<Stored> stored;
  std::map<mail::MessageId, std::string> drafts;
  int discarded = 0;
  std::vector<ports::AwaitingCopy> released;
  std::function<void()> on_commit;  ///< while a message becomes durable
  std::optional<ports::SpoolError> append_error, commit_error, token_error;
  std::map<std::string, mail::ReversePath> tokens;
  bool poison = false;
  fakes::MemorySpool waiting_list;  ///< greylisting as every spool does it
};

struct FixedSigner final : ports::Signer {
  std::string domain_for(const std::string&) const override { return "fwd.example"; }

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override;

  std::vector<ports::SignRequest> requests;
  std::string signature = "DKIM-Signature: v=1; b=fixed\r\n";
  std::string seal = "ARC-Seal: i=1; b=fixed\r\n";  ///< when one is asked for
  bool fails = false;
};

struct RecordingFeed final : ports::DeliveryFeed {
  void offer(ports::FreshMessage message) override { offered.push_back(std::move(message)); }

  std::vector<ports::FreshMessage> offered;
};

struct RecordingLog final : base::Log {
  void write(base::Event event) override {
    const std::lock_guard lock(mutex);
    lines.push_back(std::move(event).line());
  }

  std::mutex mutex;

  std::vector<std::string> lines;
};

/// A server with an alias domain example.org: info -> one target, team -> two; other local parts
/// there are unknown, other domains are not ours.
class House {
 public:
  explicit House(Limits limits = {}, bool with_tls = false);

  std::shared_ptr<fakes::Wire> dial(std::vector<std::string> segments,
                                    const std::string& peer = "192.0.2.7");

  /// Runs one session over `segments`, each a read of its own, until it is over.
  std::shared_ptr<fakes::Wire> talk(std::vector<std::string> segments);

  /// From now on incoming mail is verified, with this zone for the DNS.
  void verify(std::string_view zone);

  void poll() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io;
  fakes::FakeClock clock;
  RecordingSpool spool;
  FixedSigner signer;
  RecordingFeed feed;
  fakes::ScriptedTlsAcceptor tls;
  RecordingLog log;
  base::Published<Policy> policy;
  ByteBudget budget{64ULL * 1024 * 1024};
  BounceGuard bounces;
  ResendGuard resends;
  RefusalLog refusals{log};
  WasteGuard waste;
  Handshakes handshakes;
  base::Watchdog watchdog;
  fakes::FakeResolver resolver{clock, ""};
  AbuseControl abuse{resolver, spool, clock, log};
  Services services;
  Acceptor acceptor;
};

/// EHLO, MAIL, RCPT and DATA as four reads, then the content as given.
std::vector<std::string> envelope_and(std::vector<std::string> content);

}  // namespace relay::inbound
