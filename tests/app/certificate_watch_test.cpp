#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/wiring_certificate.hpp"
#include "tests/net/certificates.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

base::WallTime right_now() {
  return std::chrono::floor<base::WallTime::duration>(std::chrono::system_clock::now());
}

struct Lines final : base::Log {
  void write(base::Event event) override { all.push_back(std::move(event).line()); }

  std::vector<std::string> all;
};

class CertificateWatchTest : public testing::Test {
 protected:
  CertificateWatchTest() { watch_.watch(files_); }

  /// Once a second, for a while.
  void look(int times = 3) {
    for (int i = 0; i < times; ++i) watch_.look(now_ += seconds(1));
  }

  /// A pair for that host under other names.
  net::TlsFiles other(const std::string& host) {
    auto files = net::make_certificate(folder_, host, host);
    protect(files.key);
    return files;
  }

  static void protect(const fs::path& key) {
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
  }

  std::string host() const { return published_.get()->certificate()->names.front(); }

  static std::shared_ptr<const net::TlsContext> context_of(const net::TlsFiles& files) {
    return std::make_shared<const net::TlsContext>(*net::TlsContext::server(files));
  }

  net::TemporaryFolder folder_;
  net::TlsFiles files_ = [this] {
    auto files = net::make_certificate(
        folder_, "served", net::CertificateText{.hosts = {"old.example"}, .ends = days(90)});
    protect(files.key);
    return files;
  }();
  base::Published<net::TlsContext> published_{context_of(files_)};
  Lines log_;
  CertificateWatch watch_{published_, log_};
  base::WallTime now_ = right_now();
};

TEST_F(CertificateWatchTest, SaysNothingWhileNothingChanges) {
  look(100);
  EXPECT_EQ(host(), "old.example");
  EXPECT_THAT(log_.all, IsEmpty());
}

TEST_F(CertificateWatchTest, TakesANewPair) {
  look();
  const auto fresh = other("new.example");
  fs::rename(fresh.chain, files_.chain);
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_THAT(log_.all,
              ElementsAre(AllOf(HasSubstr("\"event\":\"certificate\""), HasSubstr("new.example"))));
  EXPECT_EQ(watch_.trouble(), "");
}

/// A tool that keeps versions, and links with fixed names to the newest of them.
TEST_F(CertificateWatchTest, TakesThePairThatLinksLeadTo) {
  const net::TlsFiles links{folder_.path() / "live.crt", folder_.path() / "live.key"};
  fs::create_symlink(files_.chain, links.chain);
  fs::create_symlink(files_.key, links.key);
  watch_.watch(links);
  look();
  const auto fresh = other("new.example");
  fs::remove(links.chain);
  fs::remove(links.key);
  fs::create_symlink(fresh.chain, links.chain);
  fs::create_symlink(fresh.key, links.key);
  look();
  EXPECT_EQ(host(), "new.example");
}

TEST_F(CertificateWatchTest, KeepsTheOldPairWhileTheNewOneIsHalfWritten) {
  look();
  const auto fresh = other("new.example");
  fs::rename(fresh.chain, files_.chain);
  look(200);
  EXPECT_EQ(host(), "old.example");
  EXPECT_THAT(watch_.trouble(), HasSubstr("served.key"));
  ASSERT_EQ(log_.all.size(), 1U) << "once, not each second";
  EXPECT_THAT(log_.all.front(), AllOf(HasSubstr("\"warn"), HasSubstr("stays in use")));
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_EQ(watch_.trouble(), "");
  EXPECT_EQ(log_.all.size(), 2U);
}

/// One look may come between the two writes of an ordinary renewal: no reason for a warning.
TEST_F(CertificateWatchTest, DoesNotReadWhatIsBeingWritten) {
  look();
  const auto fresh = other("new.example");
  fs::rename(fresh.chain, files_.chain);
  look(1);
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_EQ(log_.all.size(), 1U);
}

TEST_F(CertificateWatchTest, WarnsOfFilesThatAreGoneAndTakesThemWhenTheyComeBack) {
  look();
  fs::rename(files_.key, folder_.path() / "away");
  look();
  EXPECT_EQ(log_.all.size(), 1U);
  EXPECT_THAT(watch_.trouble(), HasSubstr("No such file"));
  fs::rename(folder_.path() / "away", files_.key);
  look();
  EXPECT_EQ(watch_.trouble(), "");
}

TEST_F(CertificateWatchTest, DemandsTheRightsThatAStartDemands) {
  look();
  const auto fresh = other("new.example");
  fs::permissions(fresh.key, fs::perms::others_read, fs::perm_options::add);
  fs::rename(fresh.chain, files_.chain);
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "old.example");
  EXPECT_THAT(watch_.trouble(), HasSubstr("others can read"));
  protect(files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
}

TEST_F(CertificateWatchTest, FollowsAReloadToOtherFiles) {
  look();
  const auto fresh = other("new.example");
  published_.publish(context_of(fresh));
  watch_.watch(fresh);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_THAT(log_.all, IsEmpty());
}

TEST_F(CertificateWatchTest, TellsTheEndOnceForEachMark) {
  const auto ends = published_.get()->certificate()->ends;
  for (base::WallTime at = ends - days(20); at < ends + days(3); at += hours(1)) watch_.look(at);
  ASSERT_EQ(log_.all.size(), 5U);
  EXPECT_THAT(log_.all[0],
              AllOf(HasSubstr("certificate_expires"), HasSubstr("\"hours_left\":336")));
  EXPECT_THAT(log_.all[1], HasSubstr("\"hours_left\":168"));
  EXPECT_THAT(log_.all[2], HasSubstr("\"hours_left\":72"));
  EXPECT_THAT(log_.all[3], HasSubstr("\"hours_left\":24"));
  EXPECT_THAT(log_.all[4], HasSubstr("certificate_expired"));
  watch_.look(ends - days(10));
  EXPECT_EQ(log_.all.size(), 5U) << "a clock that jumps back repeats nothing";
}

TEST(ExpiryMark, OfAShortLivedCertificateIsNear) {
  const base::WallTime now = right_now();
  const auto mark = [&](days age, hours left) {
    return expiry_mark({.begins = now - age, .ends = now + left, .names = {}}, now);
  };
  EXPECT_EQ(mark(days(80), days(10)), 14);
  EXPECT_EQ(mark(days(80), days(15)), std::nullopt);
  EXPECT_EQ(mark(days(88), days(2)), 3);
  EXPECT_EQ(mark(days(1), days(5)), std::nullopt);
  EXPECT_EQ(mark(days(5), hours(20)), 1);
  EXPECT_EQ(mark(days(90), hours(-1)), 0);
}

}  // namespace
}  // namespace relay::app
