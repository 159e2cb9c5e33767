// RCPT without end, as clients hear it (guarantee "RCPT without end is put off"): what counts, and
// what accepted mail gives back.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/gateway.hpp"
#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;

constexpr base::Rate kNone{.count = 0, .span = 1h};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

const std::string kAccepted = "250 2.1.5 Recipient ok";
const std::string kOver = "450 4.7.0 Too many RCPT commands";
constexpr const char* kTooManyOfClient =
    "450 4.7.0 Too many RCPT commands from your address, try again later\r\n";

class Attempts : public Gateway {
 protected:
  void limit(std::uint32_t client, std::uint32_t network) {
    change([&](Policy& policy) {
      policy.abuse.attempts = {.total = kNone,
                               .per_client = {.count = client, .span = 1h},
                               .per_network = {.count = network, .span = 1h}};
    });
  }

  void greylist_all() {
    change([](Policy& policy) {
      policy.abuse.greylist.enabled = true;
      policy.abuse.greylist.strangers = kNone;
    });
  }

  /// So many recipients in one packet: sub-addresses of info@, from this number on.
  static std::string rcpts(int most, int first = 0) {
    std::string packet = "MAIL FROM:<ann@sender.example>\r\n";
    for (int i = first; i < first + most; ++i) {
      packet += fmt::format("RCPT TO:<info+{}@example.org>\r\n", i);
    }
    return packet;
  }

  /// What is heard to so many recipients and RSET.
  std::string ask(int most, const std::string& peer = "192.0.2.7", int first = 0) {
    return from(peer, {"EHLO c.example\r\n", rcpts(most, first) + "RSET\r\n", "QUIT\r\n"})->sent;
  }

  /// What is heard to a message with so many recipients.
  std::string send(int recipients, const std::string& peer = "192.0.2.7",
                   std::vector<std::string> before = {"EHLO c.example\r\n"}) {
    before.insert(before.end(), {rcpts(recipients), "DATA\r\n", message(), "QUIT\r\n"});
    return from(peer, std::move(before))->sent;
  }

  /// Another one each time.
  static std::string message() {
    static int number = 0;
    return fmt::format("From: ann@sender.example\r\nMessage-ID: <{}@x>\r\n\r\nx\r\n.\r\n",
                       ++number);
  }
};

TEST_F(Attempts, RcptWithoutEndIsPutOffWhateverTheAnswers) {
  limit(10, 15);
  const std::string heard = ask(30);
  EXPECT_EQ(count(heard, kAccepted), 10U);
  EXPECT_EQ(count(heard, kTooManyOfClient), 20U);
  EXPECT_EQ(house.abuse.totals().over_rate, 20U);
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("Too many RCPT commands from your address")));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr(R"("event":"rejected")")));
  // Unknown names and foreign domains count alike.
  const auto guessing =
      from("192.0.2.8", {"EHLO c.example\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@example.org>\r\n",
                         "RCPT TO:<b@example.org>\r\n", "RCPT TO:<c@elsewhere.example>\r\n",
                         "RCPT TO:<d@example.org>\r\n", "RCPT TO:<e@example.org>\r\n",
                         "RCPT TO:<f@example.org>\r\n"});
  EXPECT_EQ(count(guessing->sent, "\r\n550 5."), 5U) << guessing->sent;
  EXPECT_THAT(guessing->sent, HasSubstr(kOver + " from your network, try again later\r\n"));
  EXPECT_THAT(send(1, "198.51.100.7"), HasSubstr("queued")) << "nobody else is meant";
  house.clock.advance(1h);
  EXPECT_THAT(send(5), HasSubstr("queued"));
}

/// A list server is never put off, because its mail is taken.
TEST_F(Attempts, MailThatIsTakenIsForgiven) {
  limit(20, 20);
  for (int i = 0; i < 50; ++i) {
    const std::string heard = send(20, fmt::format("192.0.2.{}", i % 5));
    EXPECT_EQ(count(heard, kAccepted), 20U) << i;
    EXPECT_THAT(heard, HasSubstr("queued")) << i;
  }
  EXPECT_EQ(house.abuse.totals().over_rate, 0U);
}

TEST_F(Attempts, ARecipientThatIsOnlyAskedForIsNotForgiven) {
  limit(10, 100);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(count(ask(1), kAccepted), 1U);
  EXPECT_THAT(ask(1), HasSubstr(kOver));
}

TEST_F(Attempts, MailThatIsRefusedIsNotForgiven) {
  house.verify(kZone);
  limit(10, 100);
  EXPECT_THAT(send(10), HasSubstr("\r\n550 5.7.1 ")) << "as DMARC wants it";
  EXPECT_THAT(ask(1), HasSubstr(kOver));
}

/// A client that sends one message again and again, as if it had lost our 250, gets no attempts
/// back.
TEST_F(Attempts, AMessageThatIsSentAgainIsNotForgivenAgain) {
  limit(10, 100);
  const std::string same = message();
  const auto once_more = [&] {
    return from("192.0.2.7", {"EHLO c.example\r\n", rcpts(5), "DATA\r\n", same})->sent;
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(once_more(), HasSubstr("queued"));
  EXPECT_EQ(house.queue.stored.size(), 1U);
  EXPECT_THAT(once_more(), HasSubstr(kOver));
}

TEST_F(Attempts, TroubleOfOursIsForgiven) {
  limit(10, 100);
  house.queue.commit_error = ports::SpoolError::Full;
  for (int i = 0; i < 5; ++i) EXPECT_THAT(send(10), HasSubstr("452 4.3.1"));
  house.queue.commit_error.reset();
  EXPECT_THAT(send(10), HasSubstr("queued"));
  // The store fails before the content: MAIL FROM a sender that is kept there.
  const std::string kept =
      std::string(60, 'x') + "@" + std::string(63, 'y') + "." + std::string(63, 'z') + ".example";
  const auto stored = from("192.0.2.7", {"EHLO c.example\r\n", "MAIL FROM:<" + kept + ">\r\n",
                                         "RCPT TO:<info@example.org>\r\n", "DATA\r\n", message()});
  ASSERT_THAT(stored->sent, HasSubstr("queued"));
  const std::string token = house.queue.stored.back().message.routes[0].reverse_path.to_string();
  house.tokens.error = ports::SpoolError::Unavailable;
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(from("192.0.2.7", {"EHLO c.example\r\n", "MAIL FROM:<" + token + ">\r\n",
                                   "RCPT TO:<info@example.org>\r\n"})
                    ->sent,
                HasSubstr("451 4.3.0"));
  }
  EXPECT_EQ(count(ask(11), kAccepted), 10U);
}

/// A recipient that has to come in another transaction of the same message is a right one.
TEST_F(Attempts, WhatOnlyNeedsATransactionOfItsOwnIsForgiven) {
  change([](Policy& policy) { policy.limits.max_recipients = 2; });
  limit(6, 100);
  for (int i = 0; i < 5; ++i) {
    const std::string heard =
        from("192.0.2.7", {"EHLO c.example\r\n",
                           rcpts(1) + "RCPT TO:<team@example.org>\r\nRCPT TO:<team@example.org>\r\n"
                                      "RCPT TO:<team@example.org>\r\n",
                           "DATA\r\n", message()})
            ->sent;
    EXPECT_EQ(count(heard, "452 4.5.3 Too many recipients"), 3U) << i << heard;
    EXPECT_THAT(heard, HasSubstr("queued")) << i;
  }
}

/// The list's dead subscribers are few beside what a network may ask for.
TEST_F(Attempts, OfAListMessageOnlyItsDeadCount) {
  limit(85, 85);
  std::string packet = rcpts(20);
  for (int i = 0; i < 25; ++i) packet += fmt::format("RCPT TO:<dead{}@example.org>\r\n", i);
  for (int i = 0; i < 3; ++i) {
    const auto heard = from("192.0.2.7", {"EHLO c.example\r\n", packet, "DATA\r\n", message()});
    EXPECT_THAT(heard->sent, HasSubstr("queued")) << i;
    EXPECT_THAT(heard->sent, HasSubstr("452 4.5.3 Too many recipients were refused"));
  }
  EXPECT_EQ(count(ask(30), kAccepted), 22U) << "3 x 21 were looked up and refused";
}

/// Mail systems ask for senders of ours, thousands a day from one host: that has a limit of its
/// own.
TEST_F(Attempts, QuestionsForSrsAddressesAreCountedApart) {
  limit(10, 10);
  const std::string right = srs_address(house, "ann@sender.example");
  std::vector<std::string> callouts{"EHLO c.example\r\n"};
  for (int i = 0; i < 90; ++i) {
    callouts.push_back("MAIL FROM:<>\r\nRCPT TO:<" + right + ">\r\nRSET\r\n");
  }
  EXPECT_EQ(count(from("192.0.2.7", callouts)->sent, kAccepted), 90U);
  EXPECT_EQ(count(ask(20), kAccepted), 10U);
  EXPECT_EQ(count(from("192.0.2.7", callouts)->sent, kAccepted), 90U)
      << "nor does it wait for who has asked for too many names";
}

TEST_F(Attempts, PostmasterCanBeReachedByWhoHasUsedUpAllOthers) {
  limit(10, 100);
  EXPECT_THAT(ask(11), HasSubstr(kOver));
  const auto to_postmaster = [&](int times) {
    std::string packet = "MAIL FROM:<ann@sender.example>\r\n";
    for (int i = 0; i < times; ++i) packet += "RCPT TO:<Postmaster@example.org>\r\n";
    return from("192.0.2.7", {"EHLO c.example\r\n", packet})->sent;
  };
  const std::string heard = to_postmaster(12);
  EXPECT_EQ(count(heard, "\r\n550 5.1.1"), 10U) << "this house has none, that is all";
  EXPECT_EQ(count(heard, kOver), 2U);
}

TEST_F(Attempts, StrangersAreBoundedLongBeforeTheGreylistIsFull) {
  limit(50, 80);
  greylist_all();
  for (int round = 0; round < 10; ++round) {
    for (int host = 1; host < 5; ++host) {
      ask(40, fmt::format("192.0.2.{}", host), 1000 * host + 100 * round);
    }
  }
  EXPECT_EQ(house.greylist.visitors(), 80U);
  EXPECT_THAT(ask(1, "198.51.100.7"), HasSubstr("451 4.7.1 Greylisted"));
  EXPECT_EQ(house.greylist.visitors(), 81U);
}

TEST_F(Attempts, AQueueThatIsGreylistedPassesWhenItComesAgain) {
  limit(40, 40);
  greylist_all();
  EXPECT_EQ(count(ask(20), "451 4.7.1 Greylisted"), 20U);
  house.clock.advance(5min);
  for (int i = 0; i < 5; ++i) EXPECT_THAT(send(20), HasSubstr("queued"));
  EXPECT_EQ(house.abuse.totals().over_rate, 0U);
}

TEST_F(Attempts, WhoIsExemptIsNotCounted) {
  limit(5, 5);
  change([](Policy& policy) { policy.arrival.exempt = {*base::Network::parse("192.0.2.7")}; });
  EXPECT_EQ(count(ask(100), kAccepted), 100U);
  EXPECT_EQ(count(ask(100, "192.0.2.8"), kAccepted), 5U);
}

TEST_F(Attempts, OfAGatewayOnlyItsClientsAreCounted) {
  limit(5, 5);
  EXPECT_EQ(count(ask(100, kGateway), kAccepted), 100U);
  for (const char* name : {"XCLIENT", "XFORWARD"}) {
    const std::string naming = std::string(name) + " ADDR=203.0.113.";
    const auto named = [&](const std::string& address) {
      std::vector<std::string> said{"EHLO gw\r\n", naming + address + "\r\n"};
      if (*name == 'X' && name[1] == 'C') said.emplace_back("EHLO c.example\r\n");
      said.insert(said.end(), {rcpts(10), "QUIT\r\n"});
      return from(kGateway, std::move(said))->sent;
    };
    EXPECT_EQ(count(named("9"), kAccepted), 5U) << name;
    EXPECT_EQ(count(named("10"), kAccepted), 0U) << name << " counts its network";
    house.clock.advance(1h);
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(send(5, kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n", "EHLO x\r\n"}),
                HasSubstr("queued"));
  }
}

/// A client found in Received was not charged at RCPT, so its debt stays as it is.
TEST_F(Attempts, MailThroughAGatewayForgivesNothingElse) {
  find_in_received();
  change([](Policy& policy) { policy.check = nullptr; });
  limit(5, 5);
  EXPECT_EQ(count(ask(10, "203.0.113.9"), kAccepted), 5U);
  const auto heard = from(kGateway, {"EHLO gw\r\n", rcpts(5), "DATA\r\n",
                                     received("x ([203.0.113.9])", "gw.example.org") + message()});
  ASSERT_THAT(heard->sent, HasSubstr("queued"));
  EXPECT_EQ(clients(), "203.0.113.9");
  EXPECT_THAT(ask(1, "203.0.113.9"), HasSubstr(kOver));
}

/// Attempts are given back even if the limits have changed since.
TEST_F(Attempts, AReloadWithinATransactionLosesNothing) {
  limit(100, 100);
  house.queue.on_append = house.queue.on_commit = [&] { limit(10, 10); };
  EXPECT_THAT(send(50), HasSubstr("queued"));
  EXPECT_EQ(count(ask(20), kAccepted), 10U);
}

}  // namespace
}  // namespace relay::inbound
