// Which hosts an attempt tries, in which order, and which it notes as failing.
#include "relay/delivery/attempt.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/delivery/attempt_log.hpp"
#include "tests/delivery/a_host_list.hpp"
#include "tests/delivery/sink_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;
using mail::OutcomeKind;
using testing::HasSubstr;

using support::mailbox;

/// Hosts of one letter, each with so many addresses.
HostList with_addresses(const std::string& hosts, int each) {
  std::string names;
  for (const char host : hosts) {
    for (int i = 0; i < each; ++i) names += std::string(names.empty() ? "" : " ") + host + "0";
  }
  HostList list = a_host_list(names);
  for (std::size_t i = 0; i < list.hosts.size(); ++i) {
    Candidate& one = list.hosts[i];
    one.host = one.host.substr(0, 1);
    one.preference = static_cast<std::uint16_t>(i / static_cast<std::size_t>(each));
    one.endpoint.address = boost::asio::ip::make_address("192.0.2." + std::to_string(i + 1));
  }
  return list;
}

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() {
    dialer_.plan = [this](const ports::Endpoint& remote,
                          std::string_view step) -> std::optional<std::string> {
      const auto planned = plans_.find(name_of(remote));
      if (planned == plans_.end()) return std::nullopt;
      const auto reply = planned->second.find(step);
      if (reply == planned->second.end()) return std::nullopt;
      return reply->second.empty() ? reply->second : reply->second + "\r\n";
    };
  }

  void use(HostList list) {
    list_ = std::make_shared<const HostList>(std::move(list));
    place_.group = std::make_shared<Group>(*list_, false);
  }

  std::string name_of(const ports::Endpoint& remote) const {
    const auto found = std::ranges::find(list_->hosts, remote, &Candidate::endpoint);
    return found == list_->hosts.end() ? "?" : found->host;
  }

  /// Sets the reply of a host to a step; "": it closes the connection. At "connect": it is down.
  void say(const std::string& host, const std::string& step, const std::string& reply) {
    plans_[host][step] = reply;
  }

  void is_down(const std::string& host) { say(host, "connect", ""); }

  AttemptRunner make_runner() {
    return {{clock_, resolver_, dialer_, spool_.delivery()}, failing_, place_};
  }

  /// In a session of its own, so that all hosts may be chosen.
  AttemptReport attempt(std::size_t copies = 1, std::size_t octets = 20) {
    AttemptRunner runner = make_runner();
    AttemptReport report = attempt_by(runner, copies, octets);
    support::run_task(runner.close());
    return report;
  }

  AttemptReport attempt_by(AttemptRunner& runner, std::size_t copies = 1, std::size_t octets = 20) {
    dialer_.connections.clear();
    const std::string content = "Subject: s\r\n\r\n" + std::string(octets, 'x') + "\r\n";
    auto queued = std::make_shared<mail::QueuedMessage>();
    queued->message.size = content.size();
    Consignment consignment{.copies = {}, .hosts = list_, .policy = policy_};
    for (std::size_t i = 0; i < copies; ++i) {
      const auto index = static_cast<std::uint16_t>(i);
      queued->recipients.push_back(
          {.route = {.index = index,
                     .original = mail::ForwardPath(mailbox("info@fwd.example")),
                     .target = mailbox("t" + std::to_string(i) + "@x.example"),
                     .reverse_path = mail::ReversePath(mailbox("srs@fwd.example"))}});
      consignment.copies.push_back(i);
    }
    consignment.queued = queued;
    ContentSource source(spool_.delivery(), {}, content.size(),
                         std::make_shared<const std::string>(content));
    EXPECT_TRUE(support::run_task(source.open()));
    last_ = consignment;
    return support::run_task(
        runner.run(consignment, source, [](const auto&, bool) { return true; }));
  }

  /// The hosts that were dialled, in order, each address once.
  std::string dialled() const {
    std::string names;
    for (const auto& one : dialer_.connections) {
      names += (names.empty() ? "" : " ") + name_of(one->remote);
    }
    return names;
  }

  static OutcomeKind kind_of(const AttemptReport& report, std::size_t copy = 0) {
    return report.copies.at(copy).outcome->kind;
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, ""};
  SinkDialer dialer_;
  fakes::MemorySpool spool_{clock_};
  Dice dice_{1};
  FailingHosts failing_{dice_};
  Place place_{io_.get_executor(), nullptr, Share::Proven};
  std::shared_ptr<Policy> policy_ =
      std::make_shared<Policy>(*mail::Domain::parse("mx.fwd.example"));
  std::shared_ptr<const HostList> list_;
  std::map<std::string, std::map<std::string, std::string, std::less<>>> plans_;
  Consignment last_;
};

// A host that failed.

struct Answer {
  const char* step;
  const char* reply;
};

/// The backup need not take mail for that: it may refuse all of it, or put it off for ever.
TEST_F(AttemptTest, AHostThatFailedOnceComesBackWhateverTheBackupSays) {
  for (const Answer& answer :
       {Answer{"RCPT", "550 5.7.1 Relaying denied"}, Answer{"RCPT", "450 4.7.1 Use the primary"},
        Answer{"RCPT", "450 4.2.1 Not now"}, Answer{"MAIL", "451 4.7.1 Slow down"},
        Answer{"banner", "421 4.7.0 Slow down"}, Answer{"dot", "550 5.7.1 No"},
        Answer{"dot", "250 2.0.0 Taken"}}) {
    SCOPED_TRACE(answer.reply);
    use(a_host_list("a1 b2 c3"));
    plans_.clear();
    is_down("a1");
    say("b2", answer.step, answer.reply);
    attempt();
    EXPECT_EQ(dialled(), "a1 b2");
    plans_.erase("a1");
    attempt();
    EXPECT_EQ(dialled(), "b2") << "for ten minutes the other one is asked first";
    clock_.advance(11min);
    EXPECT_EQ(kind_of(attempt()), OutcomeKind::Delivered);
    EXPECT_EQ(dialled(), "a1");
  }
}

/// A host that wants a slower pace is in no trouble, so the next host is not tried.
TEST_F(AttemptTest, ThrottlingTurnsNobodyToAnotherHost) {
  for (const Answer& answer :
       {Answer{"banner", "421 4.7.0 Slow down"}, Answer{"EHLO", "450 4.7.1 Slow down"},
        Answer{"MAIL", "421 4.7.28 Slow down"}, Answer{"dot", "451 4.7.1 Slow down"}}) {
    SCOPED_TRACE(std::string(answer.step) + ' ' + answer.reply);
    use(a_host_list("a1 b2"));
    plans_.clear();
    say("a1", answer.step, answer.reply);
    for (int i = 0; i < 2; ++i) {
      const auto report = attempt();
      EXPECT_TRUE(report.feedback.throttled);
      EXPECT_FALSE(report.feedback.unreachable);
      EXPECT_EQ(kind_of(report), OutcomeKind::Deferred);
      EXPECT_EQ(dialled(), "a1");
    }
  }
}

/// Replies about all mail, and replies that may be about this sender or content only.
TEST_F(AttemptTest, ASlowerPaceForAllMailIsSaidBeforeTheMail) {
  const std::vector<std::pair<Answer, bool>> answers = {
      {{"banner", "421 4.7.0 Slow down"}, true},   {{"EHLO", "450 4.7.1 Slow down"}, true},
      {{"MAIL", "421 4.7.28 Slow down"}, true},    {{"dot", "421 4.7.28 Slow down"}, true},
      {{"MAIL", "451 4.7.1 Who is that?"}, false}, {{"dot", "451 4.7.1 Come again"}, false}};
  for (const auto& [answer, of_all_mail] : answers) {
    SCOPED_TRACE(std::string(answer.step) + ' ' + answer.reply);
    use(a_host_list("a1 b2"));
    plans_.clear();
    say("a1", answer.step, answer.reply);
    const auto report = attempt();
    ASSERT_EQ(report.feedback.slow_down.has_value(), of_all_mail);
    if (of_all_mail) {
      EXPECT_EQ(report.feedback.slow_down->kind, OutcomeKind::Deferred);
      EXPECT_EQ("421 " + report.feedback.slow_down->attempt.text,
                "421 " + std::string(answer.reply).substr(4));
    }
  }
}

/// One such refusal may be about the sender; three in a row are about all our mail.
TEST_F(AttemptTest, WhoRefusesSenderAfterSenderWantsASlowerPace) {
  use(a_host_list("a1 b2"));
  say("a1", "MAIL", "451 4.7.650 Rate limited");
  EXPECT_FALSE(attempt().feedback.slow_down);
  place_.group->throttled_in_row = Group::kPatience - 1;
  EXPECT_TRUE(attempt().feedback.slow_down);
}

/// Limits of messages and of errors are stated in such words, too.
TEST_F(AttemptTest, ASlowerPaceBehindAnotherMessageIsOfThisConnection) {
  for (const bool took : {true, false}) {
    use(a_host_list("a1"));
    plans_.clear();
    AttemptRunner runner = make_runner();
    if (!took) say("a1", "RCPT", "550 5.1.1 Unknown");
    EXPECT_EQ(kind_of(attempt_by(runner)), took ? OutcomeKind::Delivered : OutcomeKind::Failed);
    say("a1", took ? "MAIL" : "RCPT", "421 4.7.0 Enough for now");
    const auto report = attempt_by(runner);
    EXPECT_TRUE(report.feedback.throttled);
    EXPECT_FALSE(report.feedback.slow_down);
    support::run_task(runner.close());
  }
}

/// A first host that never takes anything must not hide the second one for ever.
TEST_F(AttemptTest, PatienceWithAHostThatOnlyEverThrottlesEnds) {
  for (const char* step : {"banner", "MAIL"}) {
    SCOPED_TRACE(step);
    use(a_host_list("a1 b2"));
    plans_.clear();
    failing_.took(list_->hosts[0], clock_.steady());
    say("a1", step, "421 4.7.1 No PTR");
    place_.group->throttled_in_row = Group::kPatience;
    EXPECT_TRUE(attempt().feedback.throttled);
    attempt();
    EXPECT_EQ(dialled().substr(0, 2), "b2");
  }
}

/// A large message may be put off where a small one is taken.
TEST_F(AttemptTest, WhatAHostDoesNotOfferIsNoTroubleOfIt) {
  use(a_host_list("a1 b2"));
  say("a1", "EHLO", "250-sink.example\r\n250 SIZE 1000");
  EXPECT_EQ(kind_of(attempt(1, 2000)), OutcomeKind::Delivered);
  EXPECT_EQ(dialled(), "a1 b2");
  EXPECT_EQ(kind_of(attempt()), OutcomeKind::Delivered);
  EXPECT_EQ(dialled(), "a1") << "for all other mail it is as good as ever";
}

TEST_F(AttemptTest, AMessageThatSomeHostsCannotTakeFindsTheOneThatCan) {
  use(a_host_list("a1 b2 c3 d4"));
  for (const char* small : {"a1", "b2", "c3"}) {
    say(small, "EHLO", "250-sink.example\r\n250 SIZE 1000");
  }
  const auto report = attempt(1, 2000);
  EXPECT_EQ(dialled(), "a1 b2 c3");
  EXPECT_EQ(kind_of(report), OutcomeKind::Deferred) << "the fourth was not asked";
  EXPECT_EQ(kind_of(attempt(1, 2000)), OutcomeKind::Delivered);
  EXPECT_EQ(dialled(), "d4");
}

/// It refuses one MAIL too many on a connection on which it took mail.
TEST_F(AttemptTest, ALimitOfMessagesIsNoTroubleOfAHost) {
  use(a_host_list("a1 b2"));
  int transactions = 0;
  dialer_.plan = [&](const ports::Endpoint& remote,
                     std::string_view step) -> std::optional<std::string> {
    const bool too_many = name_of(remote) == "a1" && step == "MAIL" && ++transactions == 3;
    return too_many ? std::optional<std::string>("452 4.3.1 Enough\r\n") : std::nullopt;
  };
  AttemptRunner runner = make_runner();
  for (int i = 0; i < 3; ++i) attempt_by(runner);
  EXPECT_EQ(dialled(), "b2") << "the third on one connection";
  attempt();
  EXPECT_EQ(dialled(), "a1");
}

TEST_F(AttemptTest, AHostThatBreaksOffIsInTroubleWhateverAnotherTook) {
  policy_->recipients_per_transaction = 1;
  use(a_host_list("a1 b2"));
  int transactions = 0;
  dialer_.plan = [&](const ports::Endpoint& remote,
                     std::string_view step) -> std::optional<std::string> {
    if (step == "MAIL" && name_of(remote) == "b2") return "";
    const bool later = step == "RCPT" && name_of(remote) == "a1" && ++transactions == 2;
    return later ? std::optional<std::string>("451 4.3.0 Later\r\n") : std::nullopt;
  };
  attempt(2);
  EXPECT_EQ(dialled(), "a1 b2");
  dialer_.plan = nullptr;
  use(a_host_list("b2 c3"));
  attempt();
  clock_.advance(1min);
  attempt();
  EXPECT_EQ(dialled(), "c3") << "its ten minutes are not over";
}

/// The next copies have got no reply, and the host that they would have been sent to is in no
/// trouble.
TEST_F(AttemptTest, WhoWasCutOffBeginsWithNoHost) {
  use(a_host_list("a1 b2"));
  place_.cut.make();
  const auto report = attempt();
  EXPECT_EQ(dialled(), "");
  EXPECT_FALSE(report.copies.at(0).outcome);
  EXPECT_FALSE(report.feedback.unreachable);
  EXPECT_TRUE(failing_.is_best(list_->hosts[0], *list_, clock_.steady()));
}

// Refusals in the clear.

/// The first host breaks off each handshake and requires TLS: that says nothing about the message,
/// and the second host is tried.
TEST_F(AttemptTest, ARefusalInTheClearHidesNoOtherHost) {
  for (const Answer& answer : {Answer{"MAIL", "530 5.7.0 Must issue a STARTTLS command first"},
                               Answer{"RCPT", "550 5.7.1 TLS required"}}) {
    SCOPED_TRACE(answer.reply);
    use(a_host_list("a1 b2"));
    failing_.took(list_->hosts[0], clock_.steady());
    dialer_.tls_fails_with = ports::TlsError{.error = ports::IoError::Closed};
    plans_.clear();
    say("a1", answer.step, answer.reply);
    say("b2", "EHLO", "250 sink.example");
    const auto report = attempt();
    EXPECT_EQ(dialled(), "a1 a1 b2") << "once for TLS, once in the clear, and then the other one";
    EXPECT_EQ(kind_of(report), OutcomeKind::Delivered);
    use(a_host_list("a1"));
    EXPECT_EQ(kind_of(attempt()), OutcomeKind::Deferred) << "alone it is asked again";
  }
}

TEST_F(AttemptTest, ARefusalByAHostThatOffersNoTlsIsFinal) {
  use(a_host_list("a1 b2"));
  say("a1", "RCPT", "550 5.1.1 No such user");
  EXPECT_EQ(kind_of(attempt()), OutcomeKind::Failed);
  EXPECT_EQ(dialled(), "a1");
}

// Complaints about our commands.

/// A later host gives another reply, and is not blamed.
TEST_F(AttemptTest, AComplaintIsThatOfTheHostThatMadeIt) {
  for (const char* step : {"MAIL", "RCPT", "DATA"}) {
    SCOPED_TRACE(step);
    use(a_host_list("a1 b2"));
    failing_.took(list_->hosts[0], clock_.steady());
    plans_.clear();
    say("a1", step, "503 5.5.1 Bad sequence of commands");
    const auto report = attempt();
    EXPECT_EQ(dialled(), "a1 b2");
    EXPECT_EQ(kind_of(report), OutcomeKind::Delivered);
    ASSERT_EQ(report.copies[0].faults.size(), 1U);
    EXPECT_EQ(report.copies[0].faults[0].host, "a1");
    EXPECT_EQ(report.copies[0].faults[0].code, 503);
    support::RecordingLog log;
    const Settlement settlement = settle(last_, report.copies, clock_.wall(), {}, 0.5);
    log_settlement(log, last_, report, settlement, {.copies = {ports::Recorded::Yes}},
                   clock_.wall());
    const auto line = std::ranges::find_if(
        log.lines, [](const std::string& one) { return one.contains("protocol_error"); });
    ASSERT_NE(line, log.lines.end());
    EXPECT_THAT(*line, HasSubstr(R"("host":"a1")"));
    EXPECT_THAT(*line, HasSubstr(R"("code":503)"));
  }
}

// How many hosts are asked.

TEST_F(AttemptTest, ThreeHostsAreAskedAtMostSilentOnesIncluded) {
  use(a_host_list("a1 b2 c3 d4 e5 f6"));
  for (const Candidate& host : list_->hosts) is_down(host.host);
  attempt();
  EXPECT_EQ(dialled(), "a1 b2 c3");
  attempt();
  EXPECT_EQ(dialled(), "d4 e5 f6") << "all within two attempts";
  clock_.advance(1h);
  attempt();
  EXPECT_EQ(dialled(), "a1 b2 c3");
}

TEST_F(AttemptTest, TheHostOfAKeptConnectionIsOneOfThem) {
  use(a_host_list("a1 b2 c3 d4"));
  AttemptRunner runner = make_runner();
  EXPECT_EQ(kind_of(attempt_by(runner)), OutcomeKind::Delivered);
  for (const char* down : {"b2", "c3", "d4"}) is_down(down);
  say("a1", "MAIL", "451 4.3.0 Later");
  attempt_by(runner);
  EXPECT_EQ(dialled(), "b2 c3") << "besides the first, which answered on its old connection";
}

TEST_F(AttemptTest, AllAddressesOfThreeHostsAreAsked) {
  use(with_addresses("abcdef", 2));
  for (const Candidate& host : list_->hosts) is_down(host.host);
  attempt();
  EXPECT_EQ(dialled(), "a a b b c c");
  attempt();
  EXPECT_EQ(dialled(), "d d e e f f");
}

TEST_F(AttemptTest, OneHostOfManyAddressesIsAskedAtSixOfThem) {
  use(with_addresses("a", 8));
  is_down("a");
  attempt();
  EXPECT_EQ(dialled(), "a a a a a a");
}

/// Servers of one machine that a route tells apart by their ports are as many hosts.
TEST_F(AttemptTest, ServersOnOtherPortsAreOtherHosts) {
  HostList list = a_host_list("a1 b2 c3 d4");
  for (Candidate& one : list.hosts) {
    one.endpoint = {list.hosts[0].endpoint.address,
                    static_cast<std::uint16_t>(2500 + one.preference)};
    one.host = "a";
  }
  use(std::move(list));
  is_down("a");
  attempt();
  EXPECT_EQ(dialled(), "a a a");
}

/// The fourth host is tried if this host has no means to reach the first three.
TEST_F(AttemptTest, AHostThatCannotBeReachedFromHereIsNotCounted) {
  use(a_host_list("a1 b2 c3 d4"));
  dialer_.fails_with = ports::IoError::NoSource;
  const auto report = attempt();
  EXPECT_EQ(dialled(), "a1 b2 c3 d4");
  EXPECT_TRUE(report.feedback.trouble_here);
}

}  // namespace
}  // namespace relay::delivery
