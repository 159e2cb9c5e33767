#include "relay/smtp/client_machine.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/smtp/client_dialogue.hpp"

namespace relay::smtp {
namespace {

using mail::OutcomeKind;
using mail::Stage;
using Step = ClientMachine::Step;

TEST(ClientMachine, PipelinesTheWholeEnvelope) {
  ClientMachine machine = greeted();
  ClientTransaction transaction = envelope({"x@b.example", "y@b.example"});
  transaction.eight_bit = true;
  machine.begin(std::move(transaction));
  EXPECT_EQ(machine.take_output(),
            "MAIL FROM:<ann@a.example> SIZE=1000 BODY=8BITMIME\r\n"
            "RCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\n");
  machine.feed("250 2.1.0 ok\r\n250 ok\r\n550 5.1.1 who\r\n");
  EXPECT_EQ(machine.step(), Step::Read);
  machine.feed("354 go\r\n");
  ASSERT_EQ(machine.step(), Step::Content);
  EXPECT_TRUE(machine.is_to_receive(0));
  EXPECT_FALSE(machine.is_to_receive(1));
  machine.content_sent();
  EXPECT_EQ(machine.stage(), Stage::EndOfData);
  machine.feed("250 2.0.0 taken\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].kind, OutcomeKind::Delivered);
  EXPECT_EQ(machine.verdicts()[0].text, "2.0.0 taken") << "as it was said";
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Failed);
  EXPECT_EQ(machine.verdicts()[1].stage, Stage::RcptTo);
  EXPECT_TRUE(machine.reusable());
  machine.begin(envelope({"z@b.example"}));
  EXPECT_TRUE(machine.take_output().starts_with("MAIL FROM")) << "no RSET after a clean dot";
}

TEST(ClientMachine, GoesStepByStepWithoutPipelining) {
  ClientMachine machine = greeted("250 mx\r\n");
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  EXPECT_EQ(machine.take_output(), "MAIL FROM:<ann@a.example>\r\n");
  machine.feed("250 ok\r\n");
  EXPECT_EQ(machine.take_output(), "RCPT TO:<x@b.example>\r\n");
  machine.feed("450 later\r\n");
  EXPECT_EQ(machine.take_output(), "RCPT TO:<y@b.example>\r\n");
  machine.feed("550 no\r\n");
  EXPECT_EQ(machine.take_output(), "") << "nobody is left: no DATA";
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].kind, OutcomeKind::Deferred);
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Failed);
  machine.begin(envelope({"z@b.example"}));
  EXPECT_EQ(machine.take_output(), "RSET\r\n");
  machine.feed("250 ok\r\n");
  EXPECT_EQ(machine.take_output(), "MAIL FROM:<ann@a.example>\r\n");
}

/// A server that knows the order of commands (RFC 5321 §4.1.4) refuses a MAIL inside a transaction.
class StrictServer {
 public:
  explicit StrictServer(bool pipelining, std::string_view to_rcpt)
      : machine_(greeted(pipelining ? kEhlo : "250 mx\r\n")), to_rcpt_(to_rcpt) {}

  /// Lets the machine send one message; false when the server heard a command out of order.
  bool transact() {
    machine_.begin(envelope({"x@b.example"}));
    for (std::string said = machine_.take_output(); !said.empty(); said = machine_.take_output()) {
      for (std::size_t end = said.find("\r\n"); end != std::string::npos; end = said.find("\r\n")) {
        const std::string reply = answer(said.substr(0, end));
        said.erase(0, end + 2);
        if (reply.starts_with("503")) return false;
        machine_.feed(reply);
      }
      if (machine_.step() != Step::Content) continue;
      machine_.content_sent();
      in_transaction_ = false;
      machine_.feed("250 2.0.0 taken\r\n");
    }
    return machine_.step() == Step::Done;
  }

  void set_rcpt_reply(std::string_view to_rcpt) { to_rcpt_ = to_rcpt; }

 private:
  std::string answer(const std::string& line) {
    if (line == "RSET") in_transaction_ = false;
    if (line.starts_with("MAIL")) {
      if (in_transaction_) return "503 5.5.1 nested MAIL command\r\n";
      in_transaction_ = true;
    }
    if (line.starts_with("RCPT")) {
      accepted_ = to_rcpt_.starts_with("2");
      return std::string(to_rcpt_) + "\r\n";
    }
    if (line == "DATA") return accepted_ ? "354 go\r\n" : "554 5.5.1 no valid recipients\r\n";
    return "250 ok\r\n";
  }

  ClientMachine machine_;
  std::string_view to_rcpt_;
  bool in_transaction_ = false;
  bool accepted_ = false;
};

TEST(ClientMachine, ResetsBeforeEveryTransactionThatFollowsOneThatFailed) {
  for (const bool pipelining : {true, false}) {
    StrictServer server(pipelining, "450 4.2.0 greylisted");
    for (int message = 1; message <= 4; ++message) {
      EXPECT_TRUE(server.transact()) << message << " pipelining " << pipelining;
    }
    server.set_rcpt_reply("250 ok");
    EXPECT_TRUE(server.transact()) << "the first that is taken";
    server.set_rcpt_reply("550 5.1.1 who");
    for (int message = 1; message <= 3; ++message) EXPECT_TRUE(server.transact()) << message;
  }
}

/// The caller times each reply: a part of one does not count.
TEST(ClientMachine, CountsRepliesAtTheirEnd) {
  ClientMachine machine("relay.test", TlsUse::IfOffered);
  machine.feed("220 mx.exa");
  EXPECT_EQ(machine.replies(), 0);
  machine.feed("mple\r\n");
  EXPECT_EQ(machine.replies(), 1);
  machine.feed("250-mx.example\r\n250-SIZE");
  EXPECT_EQ(machine.replies(), 1);
  machine.feed("\r\n250 HELP\r\n");
  EXPECT_EQ(machine.replies(), 2);
}

TEST(ClientMachine, SendsALoneDotWhenNobodyWasAccepted) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example"}));
  machine.take_output();
  machine.feed("250 ok\r\n550 5.1.1 who\r\n354 go\r\n");
  EXPECT_EQ(machine.take_output(), ".\r\n");
  machine.feed("250 2.0.0 accepted for nobody\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].kind, OutcomeKind::Failed);
  EXPECT_EQ(machine.verdicts()[0].code, 550);
}

TEST(ClientMachine, FallsBackToHelo) {
  ClientMachine machine("relay.example", TlsUse::IfOffered);
  machine.feed("220 old\r\n");
  machine.take_output();
  machine.feed("502 what\r\n");
  EXPECT_EQ(machine.take_output(), "HELO relay.example\r\n");
  machine.feed("250-old\r\n250 STARTTLS\r\n");
  EXPECT_EQ(machine.step(), Step::Ready);
  EXPECT_FALSE(machine.extensions().starttls) << "HELO has no extensions";
}

TEST(ClientMachine, ForgetsEverythingAtStartTls) {
  ClientMachine machine("relay.example", TlsUse::IfOffered);
  machine.feed("220 mx\r\n");
  machine.feed("250-mx\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n");
  EXPECT_EQ(machine.take_output(), "EHLO relay.example\r\nSTARTTLS\r\n");
  machine.feed("220 go\r\n");
  ASSERT_EQ(machine.step(), Step::StartTls);
  machine.tls_started();
  EXPECT_FALSE(machine.extensions().smtputf8);
  EXPECT_EQ(machine.take_output(), "EHLO relay.example\r\n");
  machine.feed("250-mx\r\n250 STARTTLS\r\n");
  EXPECT_EQ(machine.step(), Step::Ready) << "no second STARTTLS";
}

TEST(ClientMachine, AbortsWhenPlaintextFollowsTheGoAhead) {
  ClientMachine machine("relay.example", TlsUse::IfOffered);
  machine.feed("220 mx\r\n");
  machine.feed("250-mx\r\n250 STARTTLS\r\n");
  machine.feed("220 go\r\n250 injected\r\n");
  EXPECT_EQ(machine.step(), Step::Closed);
  EXPECT_EQ(machine.failure().kind, OutcomeKind::Deferred);
}

TEST(ClientMachine, TakesARefusedStartTlsAsConfigured) {
  for (const TlsUse use : {TlsUse::IfOffered, TlsUse::Required}) {
    for (const std::string_view last : {"250 STARTTLS\r\n454 4.7.0 no\r\n", "250 HELP\r\n"}) {
      ClientMachine machine("relay.example", use);
      machine.feed("220 mx\r\n");
      const auto cut = last.find('\n') + 1;
      machine.feed("250-mx\r\n" + std::string(last.substr(0, cut)));
      if (cut < last.size()) machine.feed(last.substr(cut));
      EXPECT_EQ(machine.step(), use == TlsUse::Required ? Step::Closed : Step::Ready) << last;
    }
  }
}

TEST(ClientMachine, RefusesWhatTheServerCannotTake) {
  ClientMachine machine = greeted();
  ClientTransaction big = envelope({"x@b.example"});
  big.size = 5001;
  machine.begin(std::move(big));
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].status, (mail::EnhancedStatus{5, 3, 4}));
  EXPECT_EQ(machine.take_output(), "");

  machine.begin(envelope({"x@b.example", "jörg@b.example"}));
  EXPECT_EQ(machine.verdicts()[1].status, (mail::EnhancedStatus{5, 6, 7}));
  EXPECT_EQ(machine.take_output(),
            "MAIL FROM:<ann@a.example> SIZE=1000\r\n"
            "RCPT TO:<x@b.example>\r\nDATA\r\n");
}

TEST(ClientMachine, SaysSmtputf8WhereNeeded) {
  ClientMachine machine = greeted("250-mx\r\n250 SMTPUTF8\r\n");
  machine.begin(envelope({"jörg@b.example"}));
  EXPECT_EQ(machine.take_output(), "MAIL FROM:<ann@a.example> SMTPUTF8\r\n");
}

TEST(ClientMachine, MarksALostReplyToTheDot) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  machine.feed("250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n");
  machine.content_sent();
  machine.lost({4, 4, 2}, "connection lost");
  ASSERT_EQ(machine.step(), Step::Closed);
  EXPECT_TRUE(machine.verdicts()[0].ambiguous);
  EXPECT_EQ(machine.verdicts()[0].stage, Stage::EndOfData);
  EXPECT_FALSE(machine.verdicts()[1].ambiguous);
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Failed);
}

TEST(ClientMachine, DoesNotMarkALossBeforeTheDot) {  // the control
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example"}));
  machine.feed("250 ok\r\n250 ok\r\n354 go\r\n");
  machine.lost({4, 4, 2}, "connection lost");
  EXPECT_FALSE(machine.verdicts()[0].ambiguous);
}

TEST(ClientMachine, TellsTooManyRecipients) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  machine.feed("250 ok\r\n250 ok\r\n552 too many\r\n354 go\r\n");
  machine.content_sent();
  machine.feed("250 ok\r\n");
  EXPECT_TRUE(machine.verdicts()[1].too_many);
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Deferred);
}

TEST(ClientMachine, ClosesOnRepliesNobodyAskedFor) {
  ClientMachine idle = greeted();
  idle.feed("421 4.4.2 idle too long\r\n");
  EXPECT_EQ(idle.step(), Step::Closed);

  ClientMachine early = greeted();
  early.begin(envelope({"x@b.example"}));
  early.feed("250 ok\r\n250 ok\r\n354 go\r\n250 queued already\r\n");
  EXPECT_EQ(early.step(), Step::Closed);
  EXPECT_EQ(early.verdicts()[0].kind, OutcomeKind::Deferred);
  EXPECT_FALSE(early.verdicts()[0].ambiguous);

  ClientMachine banner("relay.example", TlsUse::Never);
  banner.feed("220 mx\r\n250 hello\r\n");
  EXPECT_EQ(banner.step(), Step::Closed);
}

/// The reply of the server at one stage, after all earlier stages went well.
struct StageCase {
  const char* name;
  Stage stage;
  std::string reply;
  Step step;
  OutcomeKind kind;
  int code;
};

class ClientMachineStage : public testing::TestWithParam<StageCase> {};

/// Plays a session without pipelining in which only GetParam().stage is answered otherwise.
TEST_P(ClientMachineStage, EndsAsTheReplySays) {
  const StageCase& given = GetParam();
  ClientMachine machine("relay.example", TlsUse::Never);
  const auto answer = [&](std::string_view usual) {
    machine.take_output();
    machine.feed(machine.stage() == given.stage ? given.reply : std::string(usual));
  };
  answer("220 mx\r\n");
  if (machine.step() == Step::Read) answer("250 mx\r\n");
  if (machine.step() == Step::Read) answer("250 mx\r\n");  // HELO
  if (machine.step() == Step::Ready) machine.begin(envelope({"x@b.example"}));
  for (const std::string_view usual : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
    if (machine.step() == Step::Read) answer(usual);
  }
  if (machine.step() == Step::Content) {
    machine.content_sent();
    answer("250 ok\r\n");
  }
  EXPECT_EQ(machine.step(), given.step);
  const bool in_session = given.stage == Stage::Banner || given.stage == Stage::Ehlo;
  const Verdict& verdict = in_session ? machine.failure() : machine.verdicts().at(0);
  EXPECT_EQ(verdict.kind, given.kind);
  EXPECT_EQ(verdict.code, given.code);
  EXPECT_EQ(verdict.stage, given.stage);
  EXPECT_EQ(verdict.ambiguous, given.stage == Stage::EndOfData && given.code == 0);
}

std::vector<StageCase> stage_cases() {
  std::vector<StageCase> cases;
  const auto add = [&](const char* name, Stage stage, std::string reply, Step step,
                       OutcomeKind kind, int code) {
    cases.push_back({name, stage, std::move(reply), step, kind, code});
  };
  for (const Stage stage : {Stage::Banner, Stage::Ehlo, Stage::MailFrom, Stage::RcptTo, Stage::Data,
                            Stage::EndOfData}) {
    const bool session = stage == Stage::Banner || stage == Stage::Ehlo;
    const Step refused = session ? Step::Closed : Step::Done;
    add("Temporary", stage, "450 4.2.0 later\r\n", refused, OutcomeKind::Deferred, 450);
    add("Permanent", stage, "554 5.7.1 never\r\n", refused, OutcomeKind::Failed, 554);
    add("Closing", stage, "421 4.3.2 bye\r\n", Step::Closed, OutcomeKind::Deferred, 421);
    add("Junk", stage, "SSH-2.0-x\r\n", Step::Closed, OutcomeKind::Deferred, 0);
    add("Mixed", stage, "250-a\r\n550 b\r\n", Step::Closed, OutcomeKind::Deferred, 0);
    add("Endless", stage, std::string(70'000, 'x'), Step::Closed, OutcomeKind::Deferred, 0);
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cases, ClientMachineStage, testing::ValuesIn(stage_cases()),
                         [](const auto& info) {
                           std::string label(mail::name(info.param.stage));
                           std::erase(label, '-');
                           return label + info.param.name;
                         });

}  // namespace
}  // namespace relay::smtp
