#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/app/wiring_certificate.hpp"
#include "relay/settings/settings.hpp"
#include "tests/net/certificates.hpp"
#include "tests/support/logs.hpp"

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

class CertificateWatchTest : public testing::Test {
 protected:
  CertificateWatchTest() { watch(files_); }

  void watch(const net::TlsFiles& files) {
    watch_.watch(WatchedCertificate{.files = files, .name = files.chain.string()});
  }

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
  support::RecordingLog log_;
  FileBounds bounds_;
  CertificateWatch watch_{published_, log_, bounds_};
  base::WallTime now_ = right_now();
};

TEST_F(CertificateWatchTest, SaysNothingWhileNothingChanges) {
  look(100);
  EXPECT_EQ(host(), "old.example");
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(CertificateWatchTest, TakesANewPair) {
  look();
  const auto fresh = other("new.example");
  fs::rename(fresh.chain, files_.chain);
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_THAT(log_.lines,
              ElementsAre(AllOf(HasSubstr("\"event\":\"certificate\""), HasSubstr("new.example"))));
  EXPECT_EQ(watch_.trouble(), "");
}

/// A tool that keeps versions, and links with fixed names to the newest of them.
TEST_F(CertificateWatchTest, TakesThePairThatLinksLeadTo) {
  const net::TlsFiles links{folder_.path() / "live.crt", folder_.path() / "live.key"};
  fs::create_symlink(files_.chain, links.chain);
  fs::create_symlink(files_.key, links.key);
  watch(links);
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
  ASSERT_EQ(log_.lines.size(), 1U) << "once, not each second";
  EXPECT_THAT(log_.lines.front(), AllOf(HasSubstr("\"warn"), HasSubstr("stays in use")));
  fs::rename(fresh.key, files_.key);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_EQ(watch_.trouble(), "");
  EXPECT_EQ(log_.lines.size(), 2U);
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
  EXPECT_EQ(log_.lines.size(), 1U);
}

TEST_F(CertificateWatchTest, WarnsOfFilesThatAreGoneAndTakesThemWhenTheyComeBack) {
  look();
  fs::rename(files_.key, folder_.path() / "away");
  look();
  EXPECT_EQ(log_.lines.size(), 1U);
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
  watch(fresh);
  look();
  EXPECT_EQ(host(), "new.example");
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(CertificateWatchTest, TellsTheEndOnceForEachMark) {
  const auto ends = published_.get()->certificate()->ends;
  for (base::WallTime at = ends - days(20); at < ends + days(3); at += hours(1)) watch_.look(at);
  ASSERT_EQ(log_.lines.size(), 5U);
  EXPECT_THAT(log_.lines[0],
              AllOf(HasSubstr("certificate_expires"), HasSubstr("\"hours_left\":336")));
  EXPECT_THAT(log_.lines[1], HasSubstr("\"hours_left\":168"));
  EXPECT_THAT(log_.lines[2], HasSubstr("\"hours_left\":72"));
  EXPECT_THAT(log_.lines[3], HasSubstr("\"hours_left\":24"));
  EXPECT_THAT(log_.lines[4], HasSubstr("certificate_expired"));
  watch_.look(ends - days(10));
  EXPECT_EQ(log_.lines.size(), 5U) << "a clock that jumps back repeats nothing";
}

/// A part of it may be in the environment, or all of it.
TEST_F(CertificateWatchTest, TellsTheEndWhereverTheCertificateIsFrom) {
  const auto ends = published_.get()->certificate()->ends;
  const net::TlsFiles half{.chain = files_.chain, .key = {}};
  for (const net::TlsFiles& files : {half, net::TlsFiles{}}) {
    CertificateWatch watch(published_, log_, bounds_);
    watch.watch(WatchedCertificate{.files = files, .name = "$CHAIN"});
    watch.look(ends - days(13));
    watch.look(ends - days(13));
    ASSERT_EQ(log_.lines.size(), 1U);
    EXPECT_THAT(log_.lines[0],
                AllOf(HasSubstr("certificate_expires"), HasSubstr("\"file\":\"$CHAIN\"")));
    log_.lines.clear();
  }
  watch_.watch(std::nullopt);
  watch_.look(ends - days(2));
  EXPECT_THAT(log_.lines, IsEmpty()) << "there is no [tls] any more";
}

TEST_F(CertificateWatchTest, TellsThatTheSourceOfACredentialIsNewer) {
  const fs::path source = folder_.path() / "source.key";
  fs::copy_file(files_.key, source);
  const auto written = fs::last_write_time(files_.key);
  fs::last_write_time(source, written - hours(1));
  watch_.watch(WatchedCertificate{
      .files = files_, .name = "chain", .copies = {{"tls.key", files_.key, source}}});
  look(200);
  fs::permissions(source, fs::perms::owner_read);
  look(200);
  EXPECT_THAT(watch_.needs_restart(), IsEmpty());
  fs::last_write_time(source, written + hours(1));
  look(100);
  EXPECT_THAT(watch_.needs_restart(), ElementsAre("tls.key"));
  ASSERT_EQ(log_.lines.size(), 1U) << "once";
  EXPECT_THAT(log_.lines[0], AllOf(HasSubstr("source.key is newer"), HasSubstr("next start")));
  fs::remove(source);
  look(100);
  EXPECT_THAT(watch_.needs_restart(), IsEmpty()) << "nobody knows";
}

/// A tool may keep the times of what it copies.
TEST_F(CertificateWatchTest, TellsThatTheSourceOfACredentialIsAnother) {
  const fs::path source = folder_.path() / "source.key";
  fs::copy_file(files_.key, source);
  const auto early = fs::last_write_time(files_.key) - hours(9);
  fs::last_write_time(source, early);
  watch_.watch(WatchedCertificate{
      .files = files_, .name = "chain", .copies = {{"tls.key", files_.key, source}}});
  look();
  fs::copy_file(files_.key, folder_.path() / "next.key");
  fs::last_write_time(folder_.path() / "next.key", early);
  fs::rename(folder_.path() / "next.key", source);
  look(100);
  EXPECT_THAT(watch_.needs_restart(), ElementsAre("tls.key"));
  // A new copy of it, made while we run.
  const auto fresh = other("old.example");
  fs::rename(fresh.key, files_.key);
  fs::rename(fresh.chain, files_.chain);
  look(100);
  EXPECT_THAT(watch_.needs_restart(), IsEmpty());
}

/// Its folder may be root's.
TEST_F(CertificateWatchTest, TellsThatACredentialIsOlderThanItsChain) {
  watch_.watch(WatchedCertificate{
      .files = files_, .name = "chain", .copies = {{"tls.key", files_.key, ""}}});
  look();
  fs::rename(other("new.example").chain, files_.chain);
  look();
  EXPECT_THAT(watch_.needs_restart(), ElementsAre("tls.key"));
  EXPECT_THAT(watch_.trouble(), HasSubstr("tls.key is a credential"));
  EXPECT_EQ(host(), "old.example");
}

/// Nothing but a start can open a folder to this process.
TEST_F(CertificateWatchTest, TellsThatAFileIsInAFolderOfItsOwn) {
  const fs::path live = folder_.path() / "live";
  const net::TlsFiles links{live / "cert", live / "key"};
  const auto lead_to = [&](const net::TlsFiles& files, const char* place) {
    fs::create_directories(folder_.path() / place);
    fs::create_directories(live);
    for (const auto& [file, link] : {std::pair{files.chain, links.chain}, {files.key, links.key}}) {
      fs::rename(file, folder_.path() / place / file.filename());
      fs::remove(link);
      fs::create_symlink(folder_.path() / place / file.filename(), link);
    }
  };
  lead_to(files_, "1");
  settings::Settings settings;
  settings.named_files = {{.path = links.chain.string(), .at = {}},
                          {.path = links.key.string(), .at = {}}};
  settings.queue.path = (folder_.path() / "queue/queue.db").string();
  settings.control.socket = (folder_.path() / "run/control.sock").string();
  const pid_t child = ::fork();
  if (child == 0) {  // it is bounded for good
    watch(links);
    look();
    bounds_ = bounds_for(settings);
    lead_to(other("new.example"), "2");
    if (!enter(bounds_)) ::_exit(3);
    if (bounds_.abi == 0) ::_exit(2);
    look();
    const bool told = watch_.trouble().find("this needs a restart") != std::string::npos;
    ::_exit(told && watch_.needs_restart() == std::vector<std::string>{"tls.cert", "tls.key"} ? 0
                                                                                              : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(WEXITSTATUS(status), 0);
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
