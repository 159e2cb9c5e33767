// An SRS secret that is taken away while addresses made with it are under way.
#include "relay/review/remembered_secrets.hpp"

#include "relay/forward/names_of_ours.hpp"
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using std::chrono::days;

class RememberedSecrets : public Review {
 protected:
  static forward::Srs with(const std::vector<std::string>& secrets) {
    forward::Srs srs;
    srs.domain = *mail::Domain::parse("srs.relay.example");
    for (const auto& id : secrets) {
      srs.secrets.push_back({.id = id, .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls" + id)});
    }
    return srs;
  }

  static std::vector<std::string> missed_ids(const std::vector<RememberedSecret>& remembered,
                                             const forward::Srs& srs, base::WallTime now) {
    std::vector<std::string> ids;
    for (const auto& one : missed(remembered, srs, now)) ids.push_back(one.secret.id);
    return ids;
  }
};

TEST_F(RememberedSecrets, AreMissedWhenTheyAreGone) {
  const auto remembered = remember({}, with({"b", "a"}), kNow);
  EXPECT_THAT(missed_ids(remembered, with({"b", "a"}), kNow), IsEmpty());
  EXPECT_THAT(missed_ids(remembered, with({"b"}), kNow), ElementsAre("a"));
  EXPECT_THAT(missed_ids(remembered, with({"c"}), kNow), ElementsAre("b", "a"));
  EXPECT_THAT(missed_ids(remembered, {}, kNow), ElementsAre("b", "a"));
}

/// Not only until the next start: addresses stay under way for longer.
TEST_F(RememberedSecrets, StayMissedUntilTheLastAddressHasExpired) {
  auto remembered = remember({}, with({"a"}), kNow);
  // The one that signs is in use until the start that comes without it.
  const auto changed = kNow + days(40);
  EXPECT_THAT(missed_ids(remembered, with({"b"}), changed), ElementsAre("a"));
  remembered = remember(remembered, with({"b"}), changed);
  EXPECT_THAT(missed_ids(remembered, with({"b"}), changed + days(20)), ElementsAre("a"));
  EXPECT_THAT(missed_ids(remembered, with({"b"}), changed + days(21)), IsEmpty());
  remembered = remember(remembered, with({"b"}), changed + days(22));
  EXPECT_THAT(remembered, ElementsAre(Field(&RememberedSecret::id, "b")));
}

/// A rotation as it should be: the old one is taken away when nothing of it is under way.
TEST_F(RememberedSecrets, AreNotMissedWhenTheyOnlyVerifiedForLong) {
  auto remembered = remember({}, with({"a"}), kNow);
  remembered = remember(remembered, with({"b", "a"}), kNow + days(10));
  EXPECT_THAT(missed_ids(remembered, with({"b"}), kNow + days(30)), ElementsAre("a"));
  remembered = remember(remembered, with({"b", "a"}), kNow + days(31));
  EXPECT_THAT(missed_ids(remembered, with({"b"}), kNow + days(32)), IsEmpty());
}

TEST_F(RememberedSecrets, AreNotMissedWhenTheirTimeIsOver) {
  forward::Srs srs = with({"b", "a"});
  srs.secrets.back().verify_until =
      std::chrono::floor<std::chrono::seconds>(kNow - days(1)).time_since_epoch().count();
  const auto remembered = remember({}, srs, kNow);
  EXPECT_THAT(missed_ids(remembered, with({"b"}), kNow), IsEmpty());
}

TEST_F(RememberedSecrets, AreWrittenWithoutTheSecret) {
  const auto remembered = remember({}, with({"an id", "b"}), kNow);
  const std::string text = text_of({.secrets = remembered, .classic_before = {}});
  EXPECT_THAT(text, Not(HasSubstr("q8Zr")));
  EXPECT_FALSE(parse_remembered(text).classic_before);
  const auto read = parse_remembered(text).secrets;
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read.front().id, "an id");
  EXPECT_EQ(read.front().digest, remembered.front().digest);
  EXPECT_TRUE(read.front().signs);
  EXPECT_FALSE(read.back().signs);
  EXPECT_EQ(read.back().made_until, remembered.back().made_until);
  EXPECT_THAT(parse_remembered("nonsense\n\n\xff\n" + text.substr(0, text.size() - 40)).secrets,
              testing::SizeIs(1));
}

TEST_F(RememberedSecrets, AreNamedWithWhatBreaksAndWhatToDo) {
  forward::Srs srs = with({"2026a"});
  remembered_ = remember({}, srs, kNow);
  EXPECT_THAT(
      said("srs-secret", domain("\"info\" = \"me@mail.example\"\n")),
      ElementsAre(testing::AllOf(
          HasSubstr("relay.toml:3:10: warning[E050]: srs: secret \"2026a\" was valid at the "
                    "last start and is gone: bounces to the addresses that were made with it "
                    "are refused, until 2026-12-15"),
          HasSubstr("put it back, behind the first, with verify_until = 2026-12-15"))));
  remembered_.front().id = "k";
  EXPECT_THAT(said("srs-secret", domain("\"info\" = \"me@mail.example\"\n")),
              ElementsAre(testing::AllOf(HasSubstr("has other content now"),
                                         HasSubstr("under another id"))));
}

class ClassicTags : public RememberedSecrets {
 protected:
  static constexpr bool kHasRun = true;

  static std::int64_t seconds(base::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  }

  /// The ends, by secret, as a start at `now` has them.
  static std::vector<std::optional<std::int64_t>> ends(const SecretMemory& memory, forward::Srs srs,
                                                       bool has_run, base::WallTime now) {
    recall_classic(srs, classic_before(memory, srs, has_run, now));
    std::vector<std::optional<std::int64_t>> found;
    for (const auto& secret : srs.secrets) found.push_back(secret.classic_until);
    return found;
  }

  /// What a start at `now` leaves behind, read again.
  static SecretMemory after_start(const SecretMemory& memory, const forward::Srs& srs, bool has_run,
                                  base::WallTime now) {
    return parse_remembered(text_of({.secrets = remember(memory.secrets, srs, now),
                                     .classic_before = classic_before(memory, srs, has_run, now)}));
  }

  const std::int64_t end_ = seconds(kNow + days(21));
};

TEST_F(ClassicTags, OfAFreshHostAreNeverTaken) {
  const auto srs = with({"b", "a"});
  EXPECT_THAT(ends({}, srs, !kHasRun, kNow), ElementsAre(std::nullopt, std::nullopt));
  const auto memory = after_start({}, srs, !kHasRun, kNow);
  EXPECT_THAT(ends(memory, srs, kHasRun, kNow + days(1)), ElementsAre(std::nullopt, std::nullopt));
}

TEST_F(ClassicTags, UnderWayAtAnUpgradeAreTakenOnceForMaxAge) {
  const auto srs = with({"b", "a"});
  EXPECT_THAT(ends({}, srs, kHasRun, kNow), ElementsAre(end_, end_));
  auto memory = after_start({}, srs, kHasRun, kNow);
  memory = after_start(memory, srs, kHasRun, kNow + days(5));
  EXPECT_THAT(ends(memory, srs, kHasRun, kNow + days(9)), ElementsAre(end_, end_));
  memory = after_start(memory, srs, kHasRun, kNow + days(50));
  EXPECT_THAT(ends(memory, srs, kHasRun, kNow + days(60)), ElementsAre(end_, end_));
  // Addresses live as long as the present configuration says.
  auto patient = srs;
  patient.max_age_days = 40;
  EXPECT_THAT(ends(memory, patient, kHasRun, kNow + days(9)),
              ElementsAre(end_ + 19 * 86'400, end_ + 19 * 86'400));
}

TEST_F(ClassicTags, AreThoseOfTheSecretsThatWereThere) {
  const auto memory = after_start({}, with({"b", "a"}), kHasRun, kNow);
  EXPECT_THAT(ends(memory, with({"c", "b"}), kHasRun, kNow + days(1)),
              ElementsAre(std::nullopt, end_));
}

/// A memory from before this was thought of.
TEST_F(ClassicTags, OfRememberedSecretsAreTakenToo) {
  const SecretMemory memory{.secrets = remember({}, with({"b", "a"}), kNow - days(1)),
                            .classic_before = {}};
  EXPECT_THAT(ends(memory, with({"c", "b", "a"}), kHasRun, kNow),
              ElementsAre(std::nullopt, end_, end_));
}

TEST_F(ClassicTags, FollowTheConfigurationWhereItSaysSo) {
  auto srs = with({"c", "b", "a"});
  srs.secrets[0].classic = true;
  srs.secrets[1].classic = false;
  srs.secrets[2].scheme = srs::Scheme::Exim;
  EXPECT_THAT(ends({}, srs, kHasRun, kNow), Each(std::nullopt));
}

TEST_F(ClassicTags, AreNotTakenForLongerWhenTheClockGoesBack) {
  const auto srs = with({"a"});
  const auto memory = after_start({}, srs, kHasRun, kNow + days(1000));
  EXPECT_THAT(ends(memory, srs, kHasRun, kNow), ElementsAre(end_));
  const auto corrected = after_start(memory, srs, kHasRun, kNow);
  EXPECT_THAT(ends(corrected, srs, kHasRun, kNow + days(3)), ElementsAre(end_));
}

TEST_F(ClassicTags, AreNotReadFromWhatIsNoMemory) {
  EXPECT_FALSE(parse_remembered("classic-before\n").classic_before);
  EXPECT_FALSE(parse_remembered("classic-before soon\n").classic_before);
  EXPECT_EQ(parse_remembered("classic-before 0").classic_before, ClassicBefore());
}

}  // namespace
}  // namespace relay::review
