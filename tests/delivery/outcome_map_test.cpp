#include "relay/delivery/outcome_map.hpp"

#include <gtest/gtest.h>

namespace relay::delivery {
namespace {

TEST(OutcomeMap, KeepsEverythingTheRemoteSaidAndWhere) {
  smtp::Verdict verdict;
  verdict.kind = mail::OutcomeKind::Failed;
  verdict.stage = mail::Stage::RcptTo;
  verdict.code = 550;
  verdict.status = {5, 1, 1};
  verdict.text = "no such user";
  verdict.ambiguous = true;
  const Candidate remote{.host = "mx.example",
                         .endpoint = {boost::asio::ip::make_address("192.0.2.1"), 25}};
  const auto outcome = outcome_of(verdict, remote, "TLSv1.3", mail::TlsResult::None);
  EXPECT_EQ(outcome.kind, mail::OutcomeKind::Failed);
  EXPECT_TRUE(outcome.possible_duplicate);
  EXPECT_EQ(outcome.attempt.host, "mx.example");
  EXPECT_EQ(outcome.attempt.address, "192.0.2.1");
  EXPECT_EQ(outcome.attempt.port, 25);
  EXPECT_EQ(outcome.attempt.tls, "TLSv1.3");
  EXPECT_EQ(outcome.attempt.stage, mail::Stage::RcptTo);
  EXPECT_EQ(outcome.attempt.code, 550);
  EXPECT_EQ(outcome.attempt.text, "no such user");
}

/// A broken connection never ends a message.
TEST(OutcomeMap, EveryIoErrorIsTemporary) {
  using enum ports::IoError;
  for (const auto error :
       {Closed, Reset, Timeout, Refused, Unreachable, TlsFailed, TlsFlood, Exhausted, NoSource}) {
    EXPECT_EQ(status_of(error).klass, 4);
  }
}

}  // namespace
}  // namespace relay::delivery
