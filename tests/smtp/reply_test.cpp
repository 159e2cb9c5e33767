#include "relay/smtp/reply.hpp"

#include <type_traits>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

TEST(Reply, CarriesCodeStatusAndText) {
  EXPECT_EQ(Reply(550, {5, 1, 1}, "No such user").wire(), "550 5.1.1 No such user\r\n");
  EXPECT_EQ(Reply::plain(354, "Go ahead").wire(), "354 Go ahead\r\n");
  EXPECT_EQ(Reply::multiline(250, {"mx.example", "PIPELINING"}).wire(),
            "250-mx.example\r\n250 PIPELINING\r\n");
}

TEST(Reply, CannotHoldLineEndsOrNul) {
  const Reply reply(550, {5, 1, 1}, std::string("a\r\n250 b\0c\x1b\xc3\xa9", 13));
  EXPECT_EQ(reply.wire(), "550 5.1.1 a??250 b?c???\r\n");
}

TEST(Reply, StaysWithin512Octets) {
  EXPECT_LE(Reply(550, {5, 999, 999}, std::string(2000, 'x')).wire().size(), 512U);
}

TEST(EndOfDataReply, RefusesOnlyWithFailureCodes) {
  EXPECT_EQ(EndOfDataReply::refused(Reply(550, {5, 6, 0}, "x")).reply().code(), 550);
  EXPECT_EQ(EndOfDataReply::refused(Reply(250, {2, 0, 0}, "x")).reply().code(), 451);
}

// Without the key, which only a CommitProof buys, no 250 can be written after DATA.
static_assert(!std::is_default_constructible_v<AcceptedKey>);
static_assert(!std::is_constructible_v<EndOfDataReply, Reply>);

}  // namespace
}  // namespace relay::smtp
