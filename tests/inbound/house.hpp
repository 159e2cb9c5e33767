// Everything a session needs, faked: one object per test.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/inbound/acceptor.hpp"
#include "relay/inbound/services.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/scripted_stream.hpp"
#include "tests/inbound/recording_queue.hpp"
#include "tests/support/logs.hpp"

namespace relay::inbound {

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
  void expect(const mail::MessageId& id) override { expected.insert(id); }

  void offer(ports::FreshMessage message) override {
    offered.push_back(std::move(message));
    expected.erase(offered.back().queued.message.id);
  }

  void give_up(const mail::MessageId& id) noexcept override {
    ++given_up;
    expected.erase(id);
  }

  std::vector<ports::FreshMessage> offered;
  std::set<mail::MessageId> expected;  ///< neither offered nor given up yet
  int given_up = 0;
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

  fakes::FakeClock clock;
  boost::asio::io_context io;  ///< its tasks leave the clock when they are destroyed
  RecordingQueue queue;
  RecordingTokens tokens;
  RecordingConsent consent{queue};
  RecordingGreylist greylist{clock};
  FixedSigner signer;
  RecordingFeed feed;
  fakes::ScriptedTlsAcceptor tls;
  support::RecordingLog log;
  base::Published<Policy> policy;
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
};

/// EHLO, MAIL, RCPT and DATA as four reads, then the content as given.
std::vector<std::string> envelope_and(std::vector<std::string> content);

}  // namespace relay::inbound
