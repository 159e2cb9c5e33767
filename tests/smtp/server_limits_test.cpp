// How many errors a client may make, and clients that never lose their session for errors that are
// not theirs.
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "relay/smtp/server_machine.hpp"

namespace relay::smtp {
namespace {

ServerOptions options() {
  ServerOptions out;
  out.hostname = "mx.example";
  return out;
}

const Reply* reply_of(const Action& action) {
  return std::visit(
      [](const auto& a) -> const Reply* {
        if constexpr (requires { a.reply; }) return &a.reply;
        return nullptr;
      },
      action);
}

/// A client whose recipients meet the answers that the test wants.
struct Sender {
  explicit Sender(ServerOptions with = options()) : machine(std::move(with)) {
    machine.on_line("EHLO c.example", false);
  }

  int code(const std::string& line) {
    const Action action = machine.on_line(line, false);
    closed = std::holds_alternative<Close>(action);
    return reply_of(action)->code();
  }

  void begin() { ASSERT_EQ(code("MAIL FROM:<a@b.example>"), 250); }

  /// The code of the reply to RCPT if the session decides so; 0: taken. `asked` counts the
  /// questions.
  int rcpt(int answer) {
    Action action = machine.on_line("RCPT TO:<x@d.example>", true);
    if (std::holds_alternative<CheckRecipient>(action)) {
      ++asked;
      action = machine.on_recipient(answer == 0 ? std::nullopt
                                                : std::optional(Reply(answer, {5, 1, 1}, "no")));
    }
    closed = std::holds_alternative<Close>(action);
    return reply_of(action)->code();
  }

  ServerMachine machine;
  int asked = 0;
  bool closed = false;
};

TEST(ServerLimits, KeepsTheRecipientsOfAMessageWhoseOthersAreUnknown) {
  ServerOptions with = options();
  with.max_errors = 2;
  Sender list(with);
  list.begin();
  EXPECT_EQ(list.rcpt(0), 250);
  EXPECT_EQ(list.rcpt(550), 550);
  EXPECT_EQ(list.rcpt(550), 550);
  EXPECT_EQ(list.rcpt(550), 452);  // the one too many
  EXPECT_EQ(list.rcpt(0), 452);
  EXPECT_EQ(list.rcpt(0), 452);
  EXPECT_EQ(list.asked, 4);
  EXPECT_EQ(list.machine.envelope().forward_paths.size(), 1U);
  EXPECT_EQ(list.code("DATA"), 354);
  EXPECT_FALSE(list.closed);
}

/// The content of the first message was put off, so that its errors are not forgiven.
TEST(ServerLimits, KeepsTheRecipientsOfTheNextMessageAsWell) {
  ServerOptions with = options();
  with.max_errors = 2;
  Sender list(with);
  list.begin();
  for (int i = 0; i < 3; ++i) list.rcpt(550);
  EXPECT_EQ(list.code("RSET"), 250);
  list.begin();
  EXPECT_EQ(list.rcpt(0), 250);
  EXPECT_EQ(list.rcpt(550), 452);
  EXPECT_EQ(list.rcpt(0), 452) << "nobody is asked for any more";
  EXPECT_EQ(list.code("DATA"), 354);
  EXPECT_FALSE(list.closed);
}

TEST(ServerLimits, ClosesOnUnknownRecipientsThatGoOnInTheNextTransaction) {
  ServerOptions with = options();
  with.max_errors = 2;
  Sender guesser(with);
  guesser.begin();
  for (int i = 0; i < 3; ++i) guesser.rcpt(550);
  EXPECT_EQ(guesser.code("RSET"), 250);
  guesser.begin();
  EXPECT_EQ(guesser.rcpt(550), 421);
  EXPECT_TRUE(guesser.closed);
}

TEST(ServerLimits, SaysWhatBecameOfAMessageBeforeItComplainsOfErrors) {
  ServerOptions with = options();
  with.max_errors = 1;
  Sender list(with);
  list.begin();
  list.rcpt(0);
  list.rcpt(550);
  list.rcpt(550);
  ASSERT_EQ(list.code("DATA"), 354);
  const Action action =
      list.machine.on_content_end(EndOfDataReply::refused(Reply(550, {5, 6, 0}, "no")));
  ASSERT_TRUE(std::holds_alternative<Close>(action));
  EXPECT_EQ(reply_of(action)->code(), 550);
  EXPECT_EQ(std::get<Close>(action).farewell->code(), 421);
}

TEST(ServerLimits, BoundsTheQuestionsOfATransactionWhateverTheAnswers) {
  ServerOptions with = options();
  with.max_recipients = 5;
  Sender sender(with);
  sender.begin();
  for (int i = 0; i < 500; ++i) EXPECT_GE(sender.rcpt(451), 451);
  EXPECT_EQ(sender.asked, 5 + static_cast<int>(ServerMachine::kSpareRecipients));
  EXPECT_FALSE(sender.closed);
}

TEST(ServerLimits, NeverDismissesASenderWhoseWholeQueueIsPutOff) {
  Sender queue;
  for (int message = 0; message < 900; ++message) {
    queue.begin();
    ASSERT_EQ(queue.rcpt(451), 451);
    // One half pipelines, and hears 554 for its DATA; neither makes an error of it.
    if (message % 2 == 0) {
      ASSERT_EQ(queue.code("DATA"), 554);
    }
    ASSERT_EQ(queue.code("RSET"), 250);
  }
  EXPECT_EQ(queue.asked, 900);
  queue.begin();
  EXPECT_EQ(queue.rcpt(0), 250);
}

TEST(ServerLimits, AsksNobodyAnyMoreForAFloodThatIsPutOffAndEndsIt) {
  ServerOptions with = options();
  with.max_recipients = 100;
  Sender flood(with);
  int said = 0;
  while (!flood.closed && said < 100'000) {
    flood.begin();
    for (int i = 0; i < 300 && !flood.closed; ++i, ++said) flood.rcpt(451);
    if (!flood.closed) flood.code("RSET");
  }
  EXPECT_LE(flood.asked, static_cast<int>(ServerMachine::kManyPutOff));
  EXPECT_LE(said, 10'200);
}

TEST(ServerLimits, TakesASecondDataWithoutRecipientsForAnError) {
  ServerOptions with = options();
  with.max_errors = 1;
  Sender sender(with);
  sender.begin();
  sender.rcpt(451);
  EXPECT_EQ(sender.code("DATA"), 554);
  EXPECT_EQ(sender.code("DATA"), 554);
  EXPECT_EQ(sender.code("DATA"), 421);
}

TEST(ServerLimits, WaitsForQuitOfWhomItTurnedAway) {
  Sender listed;
  listed.machine.turn_away(Reply(554, {5, 7, 1}, "listed"));
  for (const char* line : {"EHLO c.example", "MAIL FROM:<a@b.example>", "DATA", "NONSENSE"}) {
    EXPECT_EQ(listed.code(line), 503) << line;
  }
  EXPECT_EQ(listed.machine.transaction(), 0U);
  EXPECT_EQ(listed.code("QUIT"), 221);
  EXPECT_TRUE(listed.closed);

  Sender deaf;
  deaf.machine.turn_away(Reply(554, {5, 7, 1}, "listed"));
  std::uint32_t said = 0;
  while (!deaf.closed && said < 100) {
    deaf.code("NOOP");
    ++said;
  }
  EXPECT_EQ(said, ServerMachine::kTurnedAwayCommands + 1);
}

}  // namespace
}  // namespace relay::smtp
