// The properties of the SRS library that need no other program.
#include "srs/srs.hpp"

#include <random>

#include <gtest/gtest.h>

#include "srs/explanation.hpp"

namespace srs {
namespace {

constexpr std::int64_t kNow = 1'795'500'000;  // 2026-11-24
constexpr std::int64_t kDay = 86'400;

Key key(std::string id, char seed) {
  std::string secret;
  for (int i = 0; i < 32; ++i) secret += static_cast<char>(seed + i * 7 % 50);
  return {std::move(id), secret, std::nullopt};
}

KeyRing ring() { return *KeyRing::make({key("2026b", '0'), key("2026a", '1')}); }

Rewriter rewriter(Options options = {}) { return {ring(), "srs.example.net", options}; }

Options classic() {
  Options options;
  options.format = Format::Classic;
  return options;
}

TEST(SrsForwarding, NullSenderIsNeverRewritten) {
  EXPECT_EQ(rewriter().forward({"", ""}, kNow).error(), ForwardError::NullSender);
}

TEST(SrsForwarding, OwnAddressesAreNeverWrapped) {
  const auto first = *rewriter().forward({"ann", "example.org"}, kNow);
  EXPECT_EQ(rewriter().forward(first, kNow).error(), ForwardError::OwnAddress);
  EXPECT_EQ(rewriter().forward({"x", "SRS.Example.NET"}, kNow).error(), ForwardError::OwnAddress);
}

TEST(SrsForwarding, NeverMakesALocalPartOver64Octets) {
  for (std::size_t length = 1; length <= 64; ++length) {
    const auto made = rewriter().forward({std::string(length, 'a'), "example.org"}, kNow);
    if (made) {
      EXPECT_LE(made->local_part.size(), 64U);
    } else {
      EXPECT_EQ(made.error(), ForwardError::TooLong);
      EXPECT_LE(rewriter()
                    .make_token({std::string(length, 'a'), "example.org"}, kNow)
                    .address.local_part.size(),
                64U);
    }
  }
}

TEST(SrsStrongFormat, StrongAddressSurvivesFoldingBothWays) {
  const Rewriter r = rewriter();
  const auto made = *r.forward({"Ann.Smith", "Example.ORG"}, kNow);
  for (const bool raise : {false, true}) {
    Address changed = made;
    for (char& c : changed.local_part) {
      c = static_cast<char>(raise ? std::toupper(c) : std::tolower(c));
    }
    const auto back = r.reverse(changed, kNow);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->family, Family::Strong);
    EXPECT_FALSE(back->weak);
  }
}

TEST(SrsClassicFormat, ShortClassicHashMatchedWithoutCaseIsReportedWeak) {
  const Rewriter r = rewriter(classic());
  auto made = *r.forward({"ann", "example.org"}, kNow);
  EXPECT_FALSE(r.reverse(made, kNow)->weak);
  for (char& c : made.local_part) c = static_cast<char>(std::tolower(c));
  EXPECT_TRUE(r.reverse(made, kNow)->weak);
}

TEST(SrsClassicFormat, VerifiesBase64UrlAsWell) {
  const Rewriter r = rewriter(classic());
  int seen = 0;
  for (int i = 0; i < 400 && seen < 5; ++i) {
    auto made = *r.forward({"u" + std::to_string(i), "example.org"}, kNow);
    const std::string hash = made.local_part.substr(5, 4);
    if (hash.find_first_of("+/") == std::string::npos) continue;
    for (std::size_t k = 5; k < 9; ++k) {
      if (made.local_part[k] == '+') made.local_part[k] = '-';
      if (made.local_part[k] == '/') made.local_part[k] = '_';
    }
    EXPECT_TRUE(r.reverse(made, kNow)) << made.local_part;
    ++seen;
  }
  EXPECT_EQ(seen, 5);
}

TEST(SrsFields, BoundaryShiftIsForgedInStrongFormat) {
  const Rewriter r = rewriter();
  auto made = *r.forward({"user", "example.org"}, kNow);
  const std::size_t at = made.local_part.find("example.org=user");
  for (const char* shifted : {"example.or=guser", "example.orguse=r", "example.orgu=ser"}) {
    Address moved = made;
    moved.local_part = made.local_part.substr(0, at) + shifted;
    EXPECT_EQ(r.reverse(moved, kNow).error(), ReverseError::Forged) << shifted;
  }
}

TEST(SrsFields, BoundaryShiftIntoADotlessDomainIsRefusedInClassicFormat) {
  const Rewriter r = rewriter(classic());
  auto made = *r.forward({"user", "a.example"}, kNow);
  const std::size_t at = made.local_part.find("a.example=user");
  made.local_part = made.local_part.substr(0, at) + "a=.exampleuser";
  EXPECT_EQ(r.reverse(made, kNow).error(), ReverseError::BadTarget);
}

TEST(SrsFields, Srs1HashIsNoSrs0Hash) {
  const Rewriter r = rewriter();
  const auto made = *r.forward({"SRS0=xx=AB=c.example=d", "74.example.org"}, kNow);
  Address confused = made;
  confused.local_part.replace(0, 4, "SRS0");
  EXPECT_FALSE(r.reverse(confused, kNow));
}

TEST(SrsRoundTrip, RecoversEveryLegalSender) {
  std::mt19937 random(7);
  const std::string_view atext = "abcXYZ019!#$%&'*+-/=?^_`{|}~.";
  const std::string_view quotable = "a B@=\"\\,;:<>[]().+-_ ü";
  const Rewriter strong = rewriter();
  const Rewriter old = rewriter(classic());
  for (int i = 0; i < 20'000; ++i) {
    std::string local = "x";
    const std::string_view alphabet = i % 2 == 0 ? atext : quotable;
    for (unsigned n = random() % 24; n > 0; --n) local += alphabet[random() % alphabet.size()];
    const Address sender{local, i % 3 == 0 ? "Example.ORG" : "a.b-c.example"};
    for (const Rewriter* r : {&strong, &old}) {
      const auto made = r->forward(sender, kNow);
      if (!made) continue;
      const auto read = parse_address(to_string(*made));
      ASSERT_TRUE(read);
      const auto back = r->reverse(*read, kNow + kDay);
      ASSERT_TRUE(back) << to_string(*made);
      EXPECT_EQ(back->address, sender) << to_string(*made);
    }
  }
}

TEST(SrsRoundTrip, RefusesADomainThatWouldNotComeBack) {
  EXPECT_EQ(rewriter().forward({"ann", "a=b.example"}, kNow).error(), ForwardError::Malformed);
}

TEST(SrsWrapping, ThirdHopKeepsTheLengthAndTakesAnyAlphabet) {
  const Rewriter r = rewriter();
  const auto second = *r.forward({"SRS0=fbad=74=example.org=user", "mid.example"}, kNow);
  EXPECT_TRUE(second.local_part.starts_with("SRS1="));
  const Rewriter third(*KeyRing::make({key("x", '2')}), "third.example", {});
  const auto wrapped = *third.forward(second, kNow);
  EXPECT_EQ(wrapped.local_part.size(), second.local_part.size());
  const auto back = third.reverse(wrapped, kNow);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_string(back->address), "SRS0=fbad=74=example.org=user@mid.example");
}

TEST(SrsWrapping, WhatIsNoWellFormedWrapIsAnOrdinarySender) {
  const Rewriter r = rewriter();
  for (const char* local :
       {"SRS1=abcd", "SRS1=", "SRS1=h=dotless==x", "SRS1=h=a.example=x", "SRS0"}) {
    const auto made = r.forward({local, "hop.example"}, kNow);
    ASSERT_TRUE(made) << local;
    EXPECT_TRUE(made->local_part.starts_with("SRS0=")) << local;
    EXPECT_EQ(r.reverse(*made, kNow)->address.local_part, local);
  }
}

TEST(SrsKeys, RefusesWeakSecretsAndVerifiesWithEveryLiveKey) {
  EXPECT_EQ(KeyRing::make({}).error(), KeyError::NoKey);
  EXPECT_EQ(KeyRing::make({{"a", "", {}}}).error(), KeyError::TooShort);
  EXPECT_EQ(KeyRing::make({{"a", "0123456789abcde", {}}}).error(), KeyError::TooShort);
  EXPECT_EQ(KeyRing::make({{"a", "secretsecretsecret", {}}}).error(), KeyError::Sample);
  EXPECT_EQ(KeyRing::make({{"a", std::string(40, '?'), {}}}).error(), KeyError::Sample);
  const Rewriter before(*KeyRing::make({key("old", '1')}), "srs.example.net", {});
  const auto made = *before.forward({"ann", "example.org"}, kNow);
  Key retiring = key("old", '1');
  retiring.verify_until = kNow + kDay;
  const Rewriter after(*KeyRing::make({key("new", '2'), retiring}), "srs.example.net", {});
  ASSERT_TRUE(after.reverse(made, kNow));
  EXPECT_EQ(after.reverse(made, kNow)->key_id, "old");
  EXPECT_EQ(after.reverse(made, kNow + 2 * kDay).error(), ReverseError::Forged);
}

TEST(SrsKeys, EachSaysWhetherAndHowLongItTakesClassicTags) {
  const Rewriter postsrsd(*KeyRing::make({key("p", '2')}), "srs.example.net", classic());
  const auto srs0 = *postsrsd.forward({"ann", "example.org"}, kNow);
  const auto srs1 = *postsrsd.forward({"SRS0=fbad=74=example.org=user", "mid.example"}, kNow);
  const auto house = [](std::int64_t classic_until) {
    Key theirs = key("p", '2');
    theirs.classic_until = classic_until;
    return Rewriter(*KeyRing::make({key("ours", '1'), theirs}), "srs.example.net", {});
  };
  for (const Address& address : {srs0, srs1}) {
    EXPECT_EQ(house(Key::kNever).reverse(address, kNow).error(), ReverseError::Forged);
    EXPECT_EQ(house(Key::kAlways).reverse(address, kNow)->key_id, "p");
    EXPECT_TRUE(house(kNow).reverse(address, kNow));
    EXPECT_EQ(house(kNow).reverse(address, kNow + 1).error(), ReverseError::Forged);
    EXPECT_EQ(explain(house(Key::kNever), address, kNow).verdict, "forged");
    EXPECT_EQ(explain(house(Key::kNever), address, kNow).reason,
              "a right classic tag of key p, which takes no classic tags");
  }
  // Only where a key takes short tags could one be found.
  EXPECT_FALSE(house(Key::kNever).is_guessable(srs0, kNow));
  EXPECT_TRUE(house(Key::kAlways).is_guessable(srs0, kNow));
  EXPECT_FALSE(house(kNow).is_guessable(srs0, kNow + 1));
  const auto strong = house(Key::kAlways).forward({"ann", "example.org"}, kNow);
  EXPECT_FALSE(house(Key::kAlways).is_guessable(*strong, kNow));
  EXPECT_FALSE(house(Key::kAlways).is_guessable({"srst=x=ab=cd", "srs.example.net"}, kNow));
  // An address that one key accepts, another refuses.
  const Rewriter ours(*KeyRing::make({key("ours", '1')}), "srs.example.net", classic());
  EXPECT_FALSE(house(Key::kAlways).reverse(*ours.forward({"ann", "example.org"}, kNow), kNow));
  auto wrong = srs0;
  wrong.local_part.replace(wrong.local_part.size() - 3, 3, "bob");
  EXPECT_EQ(explain(house(Key::kNever), wrong, kNow).reason, describe(ReverseError::Forged));
}

TEST(SrsKeys, AStrongAddressDoesNotComeBackToLifeWhenTheStampWraps) {
  const Rewriter r = rewriter();
  const auto srs0 = *r.forward({"ann", "example.org"}, kNow);
  const auto srs1 = *r.forward({"SRS0=fbad=74=example.org=user", "mid.example"}, kNow);
  const auto token = r.make_token({std::string(60, 'a'), "long.example.org"}, kNow).address;
  for (const Address& address : {srs0, srs1, token}) {
    ASSERT_TRUE(r.reverse(address, kNow));
    for (const int age : {1023, 1024, 1025, 2048}) {
      EXPECT_EQ(r.reverse(address, kNow + age * kDay).error(), ReverseError::Forged) << age;
    }
  }
  // Control: the classic family, whose stamp is all there is, does come back.
  const Rewriter old = rewriter(classic());
  EXPECT_TRUE(old.reverse(*old.forward({"ann", "example.org"}, kNow), kNow + 1024 * kDay));
}

TEST(SrsKeys, NodesInterOperateWhileTheKeysRoll) {
  const Key before = key("a", '1');
  const Key after = key("b", '2');
  const Rewriter not_yet(*KeyRing::make({before, after}), "srs.example.net", {});
  const Rewriter rolled(*KeyRing::make({after, before}), "srs.example.net", {});
  const auto one = *not_yet.forward({"ann", "example.org"}, kNow);
  const auto other = *rolled.forward({"ann", "example.org"}, kNow);
  EXPECT_NE(one, other);
  EXPECT_EQ(rolled.reverse(one, kNow)->key_id, "a");
  EXPECT_EQ(not_yet.reverse(other, kNow)->key_id, "b");
}

TEST(SrsExpiry, AcceptsOneDayOfFutureSkewAndNoMore) {
  const Rewriter r = rewriter();
  const auto made = *r.forward({"ann", "example.org"}, kNow);
  EXPECT_EQ(r.reverse(made, kNow - kDay)->age_days, -1);
  EXPECT_EQ(r.reverse(made, kNow - 2 * kDay).error(), ReverseError::Future);
  EXPECT_EQ(r.reverse(made, kNow + 21 * kDay)->age_days, 21);
  EXPECT_EQ(r.reverse(made, kNow + 22 * kDay).error(), ReverseError::Expired);
}

TEST(SrsExpiry, StrongSrs1Expires) {
  const Rewriter r = rewriter();
  const auto made = *r.forward({"SRS0=fbad=74=example.org=user", "mid.example"}, kNow);
  EXPECT_TRUE(r.reverse(made, kNow + 21 * kDay));
  EXPECT_EQ(r.reverse(made, kNow + 22 * kDay).error(), ReverseError::Expired);
}

TEST(SrsReversal, TakesOnlyItsOwnDomain) {
  const Rewriter r = rewriter();
  auto made = *r.forward({"ann", "example.org"}, kNow);
  made.domain = "attacker.example";
  EXPECT_EQ(r.reverse(made, kNow).error(), ReverseError::NotOurs);
}

TEST(SrsReversal, UnwrapsAnSrs0OfOursOnceMoreAndNoDeeper) {
  Options options = classic();
  options.always_rewrite = true;
  const Rewriter r = rewriter(options);
  const auto inner = *r.forward({"ann", "example.org"}, kNow);
  const auto outer = *r.forward(inner, kNow);
  ASSERT_TRUE(outer.local_part.starts_with("SRS1"));
  EXPECT_EQ(to_string(r.reverse(outer, kNow)->address), "ann@example.org");
}

TEST(SrsKeys, KeysOfOtherProgramsOnlyVerifyAndOnlyUntilTheirEnd) {
  Key exim = key("exim", '3');
  exim.scheme = Scheme::Exim;
  EXPECT_EQ(KeyRing::make({exim}).error(), KeyError::ForeignSigns);
  EXPECT_EQ(KeyRing::make({key("a", '1'), exim}).error(), KeyError::ForeignWithoutEnd);
  exim.verify_until = kNow + kDay;
  EXPECT_TRUE(KeyRing::make({key("a", '1'), exim}));
}

TEST(SrsToken, IsTheSameForOneSenderAndDayAndCannotBeGuessed) {
  const Rewriter r = rewriter();
  const Address sender{std::string(60, 'a'), "long.example.org"};
  const auto token = r.make_token(sender, kNow);
  EXPECT_EQ(token.token, r.make_token(sender, kNow + 60).token);
  EXPECT_NE(token.token, r.make_token({std::string(60, 'b'), "long.example.org"}, kNow).token);
  const auto back = r.reverse(token.address, kNow + kDay);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->family, Family::Token);
  EXPECT_EQ(back->token, token.token);
  Address guess = token.address;
  guess.local_part.back() = guess.local_part.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(r.reverse(guess, kNow).error(), ReverseError::Forged);
}

TEST(SrsMessage, NamesAMessageAndNobody) {
  const Rewriter r = rewriter();
  const std::string id = "01M8KEQTC8D42SY9KXXSCFDWR5";
  const Address made = r.make_message_address(id, kNow);
  EXPECT_TRUE(made.local_part.starts_with("srsm="));
  const auto back = r.reverse({made.local_part, "SRS.example.net"}, kNow + kDay);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->family, Family::Message);
  EXPECT_EQ(back->token, "01m8keqtc8d42sy9kxxscfdwr5");
  EXPECT_EQ(back->age_days, 1);
  EXPECT_EQ(r.reverse(made, kNow + 30 * kDay).error(), ReverseError::Expired);
  Address guess = made;
  guess.local_part.back() = '6';
  EXPECT_EQ(r.reverse(guess, kNow).error(), ReverseError::Forged);
  // A tag is worth nothing in another form.
  Address other = made;
  other.local_part[3] = 't';
  EXPECT_EQ(r.reverse(other, kNow).error(), ReverseError::Forged);
  const auto told = explain(r, made, kNow);
  EXPECT_TRUE(told.is_srs);
  EXPECT_EQ(told.verdict, "valid");
  EXPECT_NE(told.recovered.find("01m8keqtc8d42sy9kxxscfdwr5"), std::string::npos);
  Options longest;
  longest.strong_hash_length = 40;
  const Rewriter wordy(*KeyRing::make({key("a", '1')}), "srs.example.net", longest);
  EXPECT_LE(wordy.make_message_address(id, kNow).local_part.size(), kMaxLocalPart);
  EXPECT_TRUE(wordy.reverse(wordy.make_message_address(id, kNow), kNow));
}

TEST(SrsHostileInput, RandomAndTruncatedInputsNeverDecode) {
  std::mt19937 random(11);
  const Rewriter r = rewriter();
  const std::string good = r.forward({"ann", "example.org"}, kNow)->local_part;
  for (std::size_t n = 0; n + 1 < good.size(); ++n) {
    EXPECT_FALSE(r.reverse({good.substr(0, n), "srs.example.net"}, kNow));
  }
  for (int i = 0; i < 100'000; ++i) {
    std::string local = i % 2 == 0 ? "SRS0=" : "SRS1=";
    for (unsigned n = random() % 50; n > 0; --n) local += static_cast<char>(random() % 255 + 1);
    EXPECT_FALSE(r.reverse({local, "srs.example.net"}, kNow));
  }
}

}  // namespace
}  // namespace srs
