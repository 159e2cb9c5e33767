#include "relay/mail/target_mask.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

struct MaskCase {
  const char* name;
  const char* alias;
  const char* target;
  const char* text;
  const char* shown;
};

class TargetMaskTable : public testing::TestWithParam<MaskCase> {};

TEST_P(TargetMaskTable, ShowsTheAliasAndHidesTheTarget) {
  const auto& given = GetParam();
  DeliveryAttempt attempt;
  attempt.host = "mx7.provider.example";
  attempt.address = "192.0.2.9";
  const TargetMask mask(ForwardPath(*Mailbox::parse(given.alias)), *Mailbox::parse(given.target),
                        attempt);
  EXPECT_EQ(mask.applied(given.text), given.shown);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TargetMaskTable,
    testing::Values(
        MaskCase{"Address", "info@fwd.example", "kate@dest.example", "<KATE@Dest.example>: unknown",
                 "<info@fwd.example>: unknown"},
        MaskCase{"DomainAndLocalPart", "info@fwd.example", "kate@dest.example",
                 "kate is not at dest.example (mx.dest.example)",
                 "[hidden] is not at [hidden] (mx.[hidden])"},
        // Text that the sender wrote stays readable.
        MaskCase{"SameLocalPart", "info@fwd.example", "info@dest.example",
                 "<info@dest.example>: user info unknown", "<info@fwd.example>: user info unknown"},
        MaskCase{"SameLocalPartInAnotherCase", "Info@fwd.example", "info@dest.example",
                 "INFO is unknown, info@elsewhere.example, too",
                 "INFO is unknown, info@elsewhere.example, too"},
        MaskCase{"AliasNamedByTheRemote", "john.doe@fwd.example", "doe@fwd.example.org",
                 "<john.doe@fwd.example> is doe at fwd.example.org",
                 "<john.doe@fwd.example> is [hidden] at [hidden]"},
        MaskCase{"AliasHasTheTargetsDomainInItsOwn", "info@mail.dest.example", "kate@dest.example",
                 "mail.dest.example, dest.example, mx.dest.example",
                 "mail.dest.example, [hidden], mx.[hidden]"},
        MaskCase{"TargetHasTheAliassDomainInItsOwn", "info@dest.example", "kate@mail.dest.example",
                 "mail.dest.example, dest.example, mx.dest.example",
                 "[hidden], dest.example, mx.dest.example"},
        MaskCase{"SameDomain", "info@fwd.example", "kate@fwd.example",
                 "<kate@fwd.example>: no kate at fwd.example",
                 "<info@fwd.example>: no [hidden] at fwd.example"},
        MaskCase{"AliasIsTheTarget", "kate@fwd.example", "kate@fwd.example",
                 "<kate@fwd.example>: no kate at fwd.example",
                 "<kate@fwd.example>: no kate at fwd.example"},
        MaskCase{"AliasBeginsLikeTheTarget", "john@fwd.example", "john.doe@dest.example",
                 "no john.doe here, nor john", "no [hidden] here, nor john"},
        // Masking an ordinary word would tell what the target is called.
        MaskCase{"OrdinaryWord", "info@fwd.example", "user@dest.example",
                 "550 user unknown, mailbox user@elsewhere.example, 'user'",
                 "550 user unknown, mailbox [hidden]@elsewhere.example, '[hidden]'"},
        MaskCase{"PartOfAWord", "info@fwd.example", "box@dest.example", "mailbox of boxer: box",
                 "mailbox of boxer: [hidden]"},
        MaskCase{"ShortLocalPart", "info@fwd.example", "me@dest.example",
                 "tell me: <me>, me@x.example", "tell me: <[hidden]>, [hidden]@x.example"},
        MaskCase{"WithoutSubAddress", "info@fwd.example", "kate+fwd@dest.example",
                 "kate is full; <kate@dest.example>; kate+fwd",
                 "[hidden] is full; <[hidden]@[hidden]>; [hidden]"},
        MaskCase{"SameLocalPartWithSubAddress", "info+x@fwd.example", "info+x@dest.example",
                 "<info+x@dest.example>: user info unknown",
                 "<info+x@fwd.example>: user info unknown"},
        MaskCase{"LongerAddress", "info@fwd.example", "kate@dest.example",
                 "<mary.kate@dest.example>", "<mary.[hidden]@[hidden]>"},
        MaskCase{"LongerDomain", "info@fwd.example", "kate@dest.example",
                 "mydest.example, dest.example.net, dest.examples",
                 "mydest.example, [hidden].net, dest.examples"},
        MaskCase{"QuotedLocalPart", "info@fwd.example", "\"kate s\"@dest.example",
                 "<\"kate s\"@dest.example> or <kate s@dest.example>",
                 "<info@fwd.example> or <info@fwd.example>"},
        MaskCase{"ServerThatWasAsked", "info@fwd.example", "kate@dest.example",
                 "mx7.provider.example [192.0.2.9] says no to 192.0.2.91",
                 "[hidden] [[hidden]] says no to 192.0.2.91"},
        MaskCase{"WhatWasPutInIsNotMasked", "hidden@fwd.example", "fwd@dest.example",
                 "<fwd@dest.example> hidden", "<hidden@fwd.example> hidden"},
        MaskCase{"InternationalAlias", "grüße@fwd.example", "kate@dest.example",
                 "<grüße@fwd.example> or <kate@dest.example>",
                 "<gr\\x{FC}\\x{DF}e@fwd.example> or <gr\\x{FC}\\x{DF}e@fwd.example>"},
        MaskCase{"InternationalTarget", "info@fwd.example", "grüße@dest.example",
                 "<grüße> has no grüße@dest.example", "<[hidden]> has no info@fwd.example"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TargetMask, KeepsThePostmasterWithoutADomain) {
  const TargetMask mask(ForwardPath::bare_postmaster(), *Mailbox::parse("kate@dest.example"), {});
  EXPECT_EQ(mask.applied("<kate@dest.example>: no postmaster"), "<postmaster>: no postmaster");
}

}  // namespace
}  // namespace relay::mail
