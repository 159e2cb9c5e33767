// Chains that no honest host makes are known by their form, before any key is asked for.
#include "relay/auth/arc/chain.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/arc/checked.hpp"
#include "tests/auth/arc/hops.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace relay::auth::arc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Fields = std::vector<std::string>;  // of three sets: seal 3, signature 3, results 3, seal 2 …

struct BrokenCase {
  const char* name;
  std::function<void(Fields&)> spoil;
  const char* problem;
  unsigned instances = 3;
};

auto without(std::size_t index) {
  return [index](Fields& fields) {
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(index));
  };
}

auto with(std::size_t index, std::string_view old_text, std::string_view new_text) {
  return [=](Fields& fields) { fields.at(index) = replaced(fields.at(index), old_text, new_text); };
}

auto twice(std::size_t index) {
  return [index](Fields& fields) { fields.push_back(fields.at(index)); };
}

class BrokenChain : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenChain, FailsWithoutAskingForKeys) {
  static const std::string message = sealed(plain_message(), 3);
  Fields fields = fields_of(message);
  GetParam().spoil(fields);
  const std::string spoilt = joined(fields, message);
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(clock, key_line(sealing_key()));
  const auto verdict = checked(spoilt, resolver);
  EXPECT_EQ(verdict.result, mail::ArcResult::Fail);
  EXPECT_THAT(verdict.problem, HasSubstr(GetParam().problem));
  EXPECT_EQ(verdict.instances, GetParam().instances);
  EXPECT_THAT(resolver.calls(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Forms, BrokenChain,
    testing::Values(
        BrokenCase{"NoSeal", without(0), "instance 3: no ARC-Seal"},
        BrokenCase{"NoMessageSignature", without(1), "instance 3: no ARC-Message-Signature"},
        BrokenCase{"NoResults", without(2), "instance 3: no ARC-Authentication-Results"},
        BrokenCase{"NoFirstSeal", without(6), "instance 1: no ARC-Seal"},
        BrokenCase{"Gap",
                   [](Fields& fields) { fields.erase(fields.begin() + 3, fields.begin() + 6); },
                   "instance 2: no ARC-Authentication-Results"},
        BrokenCase{"OnlyNewest",
                   [](Fields& fields) { fields.erase(fields.begin() + 3, fields.end()); },
                   "instance 1: no"},
        BrokenCase{"SealTwice", twice(0), "two ARC-Seal fields of instance 3"},
        BrokenCase{"SignatureTwice", twice(4), "two ARC-Message-Signature fields of instance 2"},
        BrokenCase{"ResultsTwice", twice(8), "two ARC-Authentication-Results fields of instance 1"},
        BrokenCase{"InstanceZero", with(0, "i=3", "i=0"), "ARC-Seal without instance"},
        BrokenCase{"InstanceEmpty", with(1, "i=3", "i="), "ARC-Message-Signature without instance"},
        BrokenCase{"InstanceNoNumber", with(2, "i=3", "i=x"), "Results without instance"},
        BrokenCase{"InstanceNegative", with(0, "i=3", "i=-3"), "without instance"},
        BrokenCase{"Instance51", with(0, "i=3", "i=51"), "more than 50 instances", 51},
        BrokenCase{"Instance999", with(2, "i=3", "i=999"), "more than 50 instances", 51},
        BrokenCase{"InstanceHuge", with(2, "i=3", "i=4294967297"), "without instance"},
        BrokenCase{"InstanceBehind", with(2, "i=3; ", ""), "Results without instance"},
        BrokenCase{"FirstSaysPass", with(6, "cv=none", "cv=pass"), "instance 1: cv=pass"},
        BrokenCase{"LaterSaysNone", with(3, "cv=pass", "cv=none"), "instance 2: cv=none"},
        BrokenCase{"NewestSaysFail", with(0, "cv=pass", "cv=fail"), "instance 3: cv=fail"},
        BrokenCase{"OlderSaysFail", with(3, "cv=pass", "cv=fail"), "instance 2: cv=fail"},
        BrokenCase{"UnknownStatus", with(0, "cv=pass", "cv=good"), "ARC-Seal: bad cv="},
        BrokenCase{"NoStatus", with(0, "cv=pass;", ""), "ARC-Seal: bad cv="},
        BrokenCase{"SealWithNames", with(0, "cv=pass", "h=from; cv=pass"), "seal has h="},
        BrokenCase{"TagTwice", with(0, "cv=pass", "cv=pass; cv=pass"), "without instance"},
        BrokenCase{"NoSelector", with(0, "s=s1;", ""), "ARC-Seal: bad s="},
        BrokenCase{"BadDomain", with(1, "d=hop.example", "d=hop..example"), "Signature: bad d="},
        BrokenCase{"Sha1", with(0, "rsa-sha256", "rsa-sha1"), "rsa-sha1 (RFC 8301)"},
        BrokenCase{"UnknownAlgorithm", with(1, "rsa-sha256", "rsa-sha3"), "unknown a="},
        BrokenCase{"NoAlgorithm", with(1, "a=rsa-sha256;", ""), "a= is missing"},
        BrokenCase{"BadTime", with(0, "t=", "t=x"), "bad t="},
        BrokenCase{"NoBodyHash", with(1, "bh=", "bx="), "bad bh="},
        BrokenCase{"NoNames", with(1, "h=From", "hx=From"), "h= is missing"},
        BrokenCase{"SignsSeal", with(1, "h=From", "h=arc-seal:From"), "h= names ARC-Seal"},
        BrokenCase{"UnknownCanon", with(1, "relaxed/relaxed", "relaxed/nowsp"), "bad c="}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Chain, TakesTagsInAnyOrderAndFolding) {
  const std::string message = sealed(plain_message(), 1);
  Fields fields = fields_of(message);
  fields.at(2) = replaced(fields.at(2), " i=1;", "\r\n\t(a (comment))\r\n i\t= 01 (x) ;");
  fields.at(1) = replaced(fields.at(1), "i=1;", "i = 1 ;");
  const Chain chain = Chain::collect(mail::readable_fields(joined(fields, message)));
  EXPECT_EQ(chain.problem(), "");
  EXPECT_EQ(chain.instances(), 1U);
  EXPECT_EQ(chain.last_sealer(), "hop.example");
}

/// RFC 8617 §4.2.1 has two digits, and says nothing of q= in a message signature, of which RFC 6376
/// §3.5 has one value; what can be understood is.
TEST(Chain, TakesZerosBeforeAnInstanceAndAnyWayToFetchTheKey) {
  const std::string message = sealed(plain_message(), 1);
  Fields fields = fields_of(message);
  for (std::size_t i = 0; i < 3; ++i) fields.at(i) = replaced(fields.at(i), "i=1;", "i=001;");
  fields.at(1) = replaced(fields.at(1), "i=001;", "i=001; q=pigeon;");
  const Chain chain = Chain::collect(mail::readable_fields(joined(fields, message)));
  EXPECT_EQ(chain.problem(), "");
  EXPECT_EQ(chain.instances(), 1U);
}

TEST(Chain, IsEmptyWithoutAnyField) {
  const Chain chain = Chain::collect(mail::readable_fields(plain_message()));
  EXPECT_TRUE(chain.empty());
  EXPECT_EQ(checked(plain_message(), "").result, mail::ArcResult::None);
}

TEST(Chain, OfAFieldThatCannotBeReadIsNotEmpty) {
  const auto verdict = checked("ARC-Seal: junk\r\n" + plain_message(), "");
  EXPECT_EQ(verdict.result, mail::ArcResult::Fail);
  EXPECT_EQ(verdict.instances, 0U);
}

}  // namespace
}  // namespace relay::auth::arc
