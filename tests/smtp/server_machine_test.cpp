#include "relay/smtp/server_machine.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

ServerOptions options() {
  ServerOptions out;
  out.hostname = "mx.example";
  out.max_size = 1000;
  return out;
}

const Reply* reply_of(const Action& action) {
  if (const auto* a = std::get_if<Respond>(&action)) return &a->reply;
  if (const auto* a = std::get_if<ReadContent>(&action)) return &a->reply;
  if (const auto* a = std::get_if<BeginTls>(&action)) return &a->reply;
  if (const auto* a = std::get_if<Close>(&action)) return &a->reply;
  return nullptr;
}

/// Drives a machine as a session would, taking every recipient.
struct Dialogue {
  explicit Dialogue(ServerOptions with = options()) : machine(std::move(with)) {}

  Action say(const std::string& line, bool more = false) {
    Action action = machine.on_line(line, more);
    if (std::holds_alternative<CheckRecipient>(action)) action = machine.on_recipient(std::nullopt);
    return action;
  }

  int code(const std::string& line, bool more = false) {
    const Action action = say(line, more);
    return reply_of(action)->code();
  }

  bool closes(const std::string& line, bool more = false) {
    return std::holds_alternative<Close>(say(line, more));
  }

  void open_transaction() {
    ASSERT_EQ(code("EHLO c.example"), 250);
    ASSERT_EQ(code("MAIL FROM:<a@b.example>"), 250);
    ASSERT_EQ(code("RCPT TO:<c@d.example>"), 250);
  }

  ServerMachine machine;
};

EndOfDataReply refused(int code) { return EndOfDataReply::refused(Reply(code, {5, 6, 0}, "no")); }

TEST(ServerMachine, GreetsWithTheGoldenEhloAnswer) {
  ServerOptions with = options();
  with.offer_starttls = true;
  Dialogue plain(with);
  const Action plain_answer = plain.say("EHLO c.example");
  EXPECT_EQ(reply_of(plain_answer)->wire(),
            "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-STARTTLS\r\n"
            "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
  with.tls_active = true;
  Dialogue tls(with);
  const Action tls_answer = tls.say("EHLO c.example");
  EXPECT_EQ(reply_of(tls_answer)->wire(),
            "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
            "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
  EXPECT_EQ(Dialogue().machine.banner().wire(), "220 mx.example ESMTP srs-relay\r\n");
}

TEST(ServerMachine, TakesATransaction) {
  Dialogue d;
  d.open_transaction();
  EXPECT_TRUE(std::holds_alternative<ReadContent>(d.say("DATA")));
  EXPECT_EQ(d.machine.envelope().forward_paths.size(), 1U);
  d.machine.on_content_end(refused(550));
  EXPECT_EQ(d.machine.transaction(), 0U);
  EXPECT_EQ(d.code("DATA"), 503);
  EXPECT_EQ(d.code("RCPT TO:<c@d.example>"), 503);
}

TEST(ServerMachine, WantsCommandsInOrder) {
  Dialogue d;
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example>"), 503);
  EXPECT_EQ(d.code("HELO c.example"), 250);
  EXPECT_EQ(d.code("RCPT TO:<c@d.example>"), 503);
  EXPECT_EQ(d.code("DATA"), 503);
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example> SIZE=1"), 555);  // parameters need EHLO
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example>"), 250);
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example>"), 503);
  EXPECT_EQ(d.code("DATA"), 554);
}

TEST(ServerMachine, RefusesDeclaredSizeOverTheLimit) {
  Dialogue d;
  d.say("EHLO c.example");
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example> SIZE=1001"), 552);
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example> SIZE=9223372036854775808"), 552);
  EXPECT_EQ(d.code("MAIL FROM:<a@b.example> SIZE=1000"), 250);
}

TEST(ServerMachine, LimitsRecipients) {
  ServerOptions with = options();
  with.max_recipients = 2;
  Dialogue d(with);
  d.open_transaction();
  EXPECT_EQ(d.code("RCPT TO:<d@d.example>"), 250);
  EXPECT_EQ(d.code("RCPT TO:<e@d.example>"), 452);
  EXPECT_EQ(d.machine.envelope().forward_paths.size(), 2U);
}

TEST(ServerMachine, WantsSmtputf8ForUtf8Recipients) {
  Dialogue d;
  d.say("EHLO c.example");
  d.say("MAIL FROM:<a@b.example>");
  EXPECT_EQ(d.code("RCPT TO:<\xc3\xa9@d.example>"), 553);
  d.say("RSET");
  d.say("MAIL FROM:<a@b.example> SMTPUTF8");
  EXPECT_EQ(d.code("RCPT TO:<\xc3\xa9@d.example>"), 250);
}

TEST(ServerMachine, ClosesOnOctetsBehindTheLastCommandOfAGroup) {
  for (const char* line : {"EHLO c.example", "HELO c.example", "DATA", "STARTTLS"}) {
    ServerOptions with = options();
    with.offer_starttls = true;
    Dialogue d(with);
    d.open_transaction();
    const Action action = d.say(line, true);
    ASSERT_TRUE(std::holds_alternative<Close>(action)) << line;
    EXPECT_EQ(reply_of(action)->code(), 421) << line;
    EXPECT_EQ(d.machine.transaction(), 0U);
  }
  Dialogue pipelined;
  pipelined.say("EHLO c.example");
  EXPECT_EQ(pipelined.code("MAIL FROM:<a@b.example>", true), 250);
  EXPECT_EQ(pipelined.code("RCPT TO:<c@d.example>", true), 250);
  EXPECT_EQ(pipelined.code("DATA", false), 354);
}

TEST(ServerMachine, ClosesOnBdat) {
  Dialogue d;
  d.open_transaction();
  const Action action = d.say("BDAT 5 LAST", true);
  ASSERT_TRUE(std::holds_alternative<Close>(action));
  EXPECT_EQ(reply_of(action)->code(), 502);
  EXPECT_EQ(std::get<Close>(action).farewell->code(), 421);
}

TEST(ServerMachine, ClosesOnOtherProtocolsAndOverlongLines) {
  EXPECT_TRUE(Dialogue().closes("GET / HTTP/1.1"));
  const Action action = Dialogue().machine.on_overlong_line();
  ASSERT_TRUE(std::holds_alternative<Close>(action));
  EXPECT_EQ(reply_of(action)->wire(), "500 5.5.2 Line too long\r\n");
  EXPECT_EQ(std::get<Close>(action).farewell->code(), 421);  // RFC 5321 §3.8
}

TEST(ServerMachine, OffersTlsOnlyWhenItCan) {
  Dialogue without;
  without.say("EHLO c.example");
  EXPECT_EQ(without.code("STARTTLS"), 502);

  ServerOptions with = options();
  with.offer_starttls = true;
  Dialogue d(with);
  EXPECT_EQ(d.code("STARTTLS"), 503);
  d.open_transaction();
  EXPECT_TRUE(std::holds_alternative<BeginTls>(d.say("STARTTLS")));
  EXPECT_EQ(d.machine.transaction(), 0U);

  with.tls_active = true;
  Dialogue inside(with);
  inside.say("EHLO c.example");
  EXPECT_EQ(inside.code("STARTTLS"), 503);
}

TEST(ServerMachine, SpendsTheErrorBudget) {
  Dialogue d;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(d.code("XYZZY"), 500);
  const Action action = d.say("XYZZY");
  ASSERT_TRUE(std::holds_alternative<Close>(action));
  EXPECT_EQ(reply_of(action)->code(), 421);
}

TEST(ServerMachine, SpendsTheJunkBudget) {
  Dialogue d;
  d.say("EHLO c.example");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(d.code(i % 2 == 0 ? "NOOP" : "RSET"), 250);
  EXPECT_EQ(d.code("NOOP"), 421);
}

TEST(ServerMachine, VerifiesNobody) {
  Dialogue d;
  EXPECT_EQ(d.code("VRFY ann"), 252);  // before EHLO, too (RFC 5321 §4.1.4)
  d.open_transaction();
  EXPECT_EQ(d.code("vrfy <c@d.example>"), 252);
  EXPECT_NE(d.machine.transaction(), 0U);
}

// ---- random dialogues against a reference small enough to be seen right

/// The order of commands by RFC 5321 §4.1.4, and nothing else.
struct Reference {
  bool greeted = false, mail = false;
  int recipients = 0;

  bool data_allowed() const { return greeted && mail && recipients > 0; }

  void see(const std::string& line, bool refuse_recipient) {
    if (line.starts_with("EHLO")) *this = {true, false, 0};
    if (line == "RSET") *this = {greeted, false, 0};
    if (line.starts_with("MAIL") && greeted && !mail) *this = {true, true, 0};
    if (line.starts_with("RCPT") && mail && !refuse_recipient) ++recipients;
    if (line == "DATA" && data_allowed()) *this = {greeted, false, 0};
  }
};

TEST(ServerMachine, AgreesWithTheReferenceOverRandomDialogues) {
  const std::vector<std::string> lines{"EHLO c.example",
                                       "MAIL FROM:<a@b.example>",
                                       "RCPT TO:<c@d.example>",
                                       "DATA",
                                       "RSET",
                                       "NOOP",
                                       "BOGUS",
                                       "MAIL FROM:<bad",
                                       "RCPT TO:<bad",
                                       "EHLO",
                                       "VRFY x",
                                       "MAIL FROM:<a@b.example>",
                                       "RCPT TO:<c@d.example>",
                                       "RCPT TO:<c@d.example>",
                                       "DATA",
                                       "DATA"};
  std::mt19937 random(20261124);
  int contents = 0;
  for (int round = 0; round < 2000; ++round) {
    ServerOptions with = options();
    with.max_errors = with.max_junk = 1000;
    ServerMachine machine(with);
    Reference reference;
    std::uint32_t last_number = 0;
    for (int step = 0; step < 40; ++step) {
      const std::string& line = lines[random() % lines.size()];
      const bool refuse = random() % 4 == 0;
      const bool expected = line == "DATA" && reference.data_allowed();
      Action action = machine.on_line(line, false);
      if (std::holds_alternative<CheckRecipient>(action)) {
        machine.on_recipient(refuse ? std::optional(Reply(550, {5, 1, 1}, "no")) : std::nullopt);
      }
      ASSERT_EQ(std::holds_alternative<ReadContent>(action), expected) << line;
      if (expected) {
        ++contents;
        ASSERT_GT(machine.transaction(), last_number);  // never the same transaction twice
        last_number = machine.transaction();
        machine.on_content_end(refused(random() % 2 == 0 ? 550 : 451));
        ASSERT_EQ(machine.transaction(), 0U);
      }
      if (!(line.starts_with("BOGUS") || line == "MAIL FROM:<bad" || line == "RCPT TO:<bad" ||
            line == "EHLO" || line == "VRFY x")) {
        reference.see(line, refuse);
      }
      ASSERT_EQ(machine.transaction() != 0, reference.mail) << line;
    }
  }
  EXPECT_GT(contents, 500);  // the dialogues do get that far
}

}  // namespace
}  // namespace relay::smtp
