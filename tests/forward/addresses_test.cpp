// Addresses as people and machines write them, on their way through the planner: what is looked up,
// what is passed on, and whether a bounce finds its way back.
#include <array>
#include <ctime>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "relay/forward/planner.hpp"
#include "relay/forward/policy.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::forward {
namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

using support::mailbox;

mail::Domain domain(const std::string& text) { return *mail::Domain::parse(text); }

Alias alias(const std::string& local, const std::vector<std::string>& targets) {
  Alias made{.local_part = local, .targets = {}, .reject = {}, .keep_tag = {}};
  for (const auto& target : targets) made.targets.push_back(mailbox(target));
  return made;
}

const std::string kLong = std::string(200, 'a');

Policy house() {
  Policy s;
  s.hostname = "mx.example.org";
  s.domains.push_back(
      {.name = domain("example.org"),
       .aliases = {alias("info", {"me@mail.example"}), alias("admin", {"boss@mail.example"}),
                   alias("a..b", {"c..d@mail.example"}), alias("j\u00FCrgen", {"j@mail.example"}),
                   alias("same", {"u\u0308@mail.example", "\u00DC@mail.example"}),
                   alias("far", {kLong + "@mail.example"}), alias(kLong, {"long@mail.example"})},
       .patterns = {{"reply-(?P<t>.+)", {"reply+${t}@app.example"}},
                    {"(gr\u00FC\u00DFe)-(.+)", {"${1}.${2}@app.example"}}},
       .map_to = {}});
  s.domains.push_back({.name = domain("mapped.example"),
                       .aliases = {},
                       .patterns = {},
                       .map_to = domain("there.example")});
  s.srs.domain = domain("srs.example.org");
  s.srs.secrets.push_back({.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
  return s;
}

std::shared_ptr<const Planner> planner_of(const Policy& settings) {
  return *Planner::make(std::make_shared<const Policy>(settings));
}

/// Targets joined by spaces, or the refusal.
std::string answer(const Planner& planner, const std::string& path) {
  const auto read = mail::parse_forward_path(path);
  if (!read) return std::string(mail::describe(read.error()));
  const auto found = planner.directory().resolve(*read, kNow);
  if (const auto* refused = std::get_if<Rejection>(&found)) {
    return fmt::format("{} {}", refused->code, refused->status.to_string());
  }
  const auto* taken = std::get_if<ResolvedRecipient>(&found);
  if (taken == nullptr) return "token";
  std::string text;
  for (const auto& target : taken->targets) text += (text.empty() ? "" : " ") + target.to_string();
  return text;
}

class Addresses : public testing::Test {
 protected:
  std::string to(const std::string& path) { return answer(*planner_, path); }

  std::shared_ptr<const Planner> planner_ = planner_of(house());
};

TEST_F(Addresses, AreFoundHoweverTheyAreWritten) {
  for (const char* path :
       {"<info@example.org>", "<info@example.org.>", "<\"info\"@example.org>",
        "<@relay.example:info@example.org>", "<@a.example,@b.example:INFO@example.org.>"}) {
    EXPECT_EQ(to(path), "me@mail.example") << path;
  }
  EXPECT_EQ(to("<a..b@example.org>"), "\"c..d\"@mail.example");
  EXPECT_EQ(to("<\"A..B\"@example.org>"), "\"c..d\"@mail.example");
  EXPECT_EQ(to("<@relay.example:x@elsewhere.example>"), "550 5.7.1");
}

TEST_F(Addresses, OfUtf8AreFoundInEveryCaseAndComposition) {
  for (const char* local : {"j\u00FCrgen", "J\u00DCRGEN", "ju\u0308rgen", "JU\u0308RGEN"}) {
    EXPECT_EQ(to('<' + std::string(local) + "@example.org>"), "j@mail.example") << local;
    EXPECT_EQ(to('<' + std::string(local) + "+Tag@example.org>"), "j+Tag@mail.example") << local;
  }
  EXPECT_EQ(to("<jurgen@example.org>"), "550 5.1.1");
  EXPECT_EQ(to("<same@example.org>"), "u\u0308@mail.example") << "two writings of one mailbox";
}

TEST_F(Addresses, MayFillTheirPath) {
  EXPECT_EQ(to('<' + kLong + "@example.org>"), "long@mail.example");
  EXPECT_EQ(to('<' + kLong + "@mapped.example>"), kLong + "@there.example");
  EXPECT_EQ(to("<far@example.org>"), kLong + "@mail.example");
  EXPECT_EQ(to("<reply-" + kLong + "@example.org>"), "reply+" + kLong + "@app.example");
}

/// RFC 5321 §4.5.3.1.1: our addresses stay within the limits that every host accepts.
TEST_F(Addresses, GetTheirTagsWhereItFits) {
  const std::string fits(61, 't');  // "me" and "+" make 64 of it
  EXPECT_EQ(to("<info+" + fits + "@example.org>"), "me+" + fits + "@mail.example");
  EXPECT_EQ(to("<info+" + fits + "t@example.org>"), "me@mail.example");
  EXPECT_EQ(to("<far+x@example.org>"), kLong + "@mail.example");
}

/// RFC 5321 §2.4: case is for the other host to interpret, and a token may depend on it.
TEST_F(Addresses, KeepTheirCaseInPatterns) {
  EXPECT_EQ(to("<REPLY-AbCdEf0123XyZ@example.org>"), "reply+AbCdEf0123XyZ@app.example");
  EXPECT_EQ(to("<GR\u00DC\u00DFE-AbC@example.org>"), "GR\u00DC\u00DFE.AbC@app.example");
  EXPECT_EQ(to("<Gru\u0308\u00DFe-AbC@example.org>"), "Gr\u00FC\u00DFe.AbC@app.example");
  EXPECT_EQ(to("<reply-a..B@example.org>"), "\"reply+a..B\"@app.example");
}

/// Under an SRS address of at most 64 octets, and from it back to what was written.
TEST_F(Addresses, OfSendersComeBackFromTheirSrsAddress) {
  const auto taken = std::get<ResolvedRecipient>(
      planner_->directory().resolve(*mail::parse_forward_path("<info@example.org>"), kNow));
  for (const std::string& local :
       {std::string("an..n"), std::string("ann."), std::string("\"a b\""),
        std::string("x..") + std::string(60, 'y'), kLong, "\"" + std::string(190, 'b') + " \\\"c\"",
        "a..b." + kLong}) {
    const auto sender = *mail::parse_reverse_path('<' + local + "@sender.example>");
    const auto plan = planner_->plan({mail::MessageId(), sender, std::string("192.0.2.7"), kNow},
                                     {taken}, std::nullopt);
    ASSERT_TRUE(plan) << local;
    const mail::Mailbox& made = plan->routes.at(0).reverse_path.mailbox();
    EXPECT_LE(made.quoted_local_part().size(), mail::kMaxLocalPartOctets) << local;
    // As it is written on the wire, and as a host may write it that takes quotes away.
    for (const std::string& written :
         {made.to_string(), made.local_part() + '@' + made.domain().text()}) {
      const auto path = mail::parse_forward_path('<' + written + '>');
      if (!path) continue;  // a blank needs its quotes
      auto found = planner_->directory().resolve(*path, kNow);
      if (const auto* lookup = std::get_if<TokenLookup>(&found)) {
        ASSERT_EQ(plan->tokens.size(), 1U) << local;
        EXPECT_EQ(lookup->token, plan->tokens[0].token);
        // The queue keeps it as text.
        const std::string stored = plan->tokens[0].reverse_path.to_string();
        found =
            planner_->directory().resolve_token(*path, mail::ReversePath(mailbox(stored)), kNow);
      }
      const auto* back = std::get_if<ResolvedRecipient>(&found);
      ASSERT_NE(back, nullptr) << written;
      EXPECT_EQ(mail::ReversePath(back->targets.at(0)), sender) << written;
    }
  }
}

/// If every target were compared with every other, ten times as many would take a hundred times as
/// long.
TEST_F(Addresses, AreExpandedInTimeThatGrowsAsTheirNumberDoes) {
  Policy s = house();
  const auto targets = [](int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(fmt::format("user{}@mail.example", i));
    return all;
  };
  s.domains.front().aliases.push_back(alias("few", targets(100)));
  s.domains.front().aliases.push_back(alias("many", targets(1000)));
  const auto planner = planner_of(s);
  const auto cpu_time_of = [&](const char* path) {
    const auto read = *mail::parse_forward_path(path);
    std::clock_t best = 0;
    for (int run = 0; run < 7; ++run) {
      const std::clock_t began = std::clock();
      for (int i = 0; i < 20; ++i) {
        const auto found = planner->directory().resolve(read, kNow);
        EXPECT_TRUE(std::holds_alternative<ResolvedRecipient>(found));
      }
      const std::clock_t took = std::clock() - began;
      if (run == 0 || took < best) best = took;
    }
    return static_cast<double>(best);
  };
  const double few = cpu_time_of("<few@example.org>");
  const double many = cpu_time_of("<many@example.org>");
  EXPECT_LT(many, 40 * few) << few << " and " << many;
}

/// RFC 5321 §4.5.1, RFC 2142 §4: addresses for complaints about us.
class Roles : public testing::Test {
 protected:
  static std::string to(const Policy& settings, const std::string& path) {
    return answer(*planner_of(settings), path);
  }

  static Policy with_postmaster(const std::string& address) {
    Policy s = house();
    s.defaults.postmaster = mailbox(address);
    return s;
  }

  static constexpr std::array kAll{"<postmaster>",
                                   "<PostMaster@srs.example.org>",
                                   "<abuse@srs.example.org>",
                                   "<postmaster@mx.example.org>",
                                   "<Abuse@MX.example.org.>",
                                   "<MAILER-DAEMON@mx.example.org>"};
};

TEST_F(Roles, AreReadByThePostmaster) {
  const auto settings = with_postmaster("ops@elsewhere.example");
  for (const char* path : kAll) EXPECT_EQ(to(settings, path), "ops@elsewhere.example") << path;
  EXPECT_EQ(to(settings, "<postmaster@example.org>"), "ops@elsewhere.example");
  EXPECT_EQ(to(settings, "<abuse@example.org>"), "550 5.1.1") << "a domain of somebody else";
  EXPECT_EQ(to(settings, "<MAILER-DAEMON@srs.example.org>"), "550 5.1.8");
  EXPECT_EQ(to(settings, "<root@mx.example.org>"), "550 5.7.1");
  EXPECT_EQ(to(settings, "<postmaster@[192.0.2.1]>"), "550 5.7.1");
}

TEST_F(Roles, FollowOurAliases) {
  const auto settings = with_postmaster("admin@example.org");
  for (const char* path : kAll) EXPECT_EQ(to(settings, path), "boss@mail.example") << path;
  const auto found =
      planner_of(settings)->directory().resolve(*mail::parse_forward_path("<postmaster>"), kNow);
  EXPECT_EQ(std::get<ResolvedRecipient>(found).rule, "postmaster > exact admin@example.org");
}

TEST_F(Roles, AreToldInTheSessionWhenNobodyCanReadThem) {
  for (const char* path : kAll) {
    EXPECT_EQ(to(with_postmaster("ghost@example.org"), path), "550 5.1.1") << path;
    EXPECT_EQ(to(with_postmaster("postmaster@example.org"), path), "550 5.4.6") << path;
  }
}

TEST_F(Roles, AreRefusedWithoutAPostmaster) {
  EXPECT_EQ(to(house(), "<postmaster>"), "550 5.1.1");
  EXPECT_EQ(to(house(), "<postmaster@srs.example.org>"), "550 5.1.8");
  EXPECT_EQ(to(house(), "<MAILER-DAEMON@mx.example.org>"), "550 5.7.1");
}

/// Where the SRS domain or the host name has aliases of its own, those come first.
TEST_F(Roles, AreAliasesWhereSomebodyMadeThem) {
  auto settings = with_postmaster("ops@elsewhere.example");
  Alias closed = alias("mailer-daemon", {});
  closed.reject = Rejection{550, {5, 1, 6}, "nobody"};
  settings.domains.push_back({.name = domain("mx.example.org"),
                              .aliases = {alias("abuse", {"desk@mail.example"}), closed},
                              .patterns = {},
                              .map_to = {}});
  settings.domains.push_back({.name = domain("srs.example.org"),
                              .aliases = {alias("*", {"all@mail.example"})},
                              .patterns = {},
                              .map_to = {}});
  EXPECT_EQ(to(settings, "<abuse@mx.example.org>"), "desk@mail.example");
  EXPECT_EQ(to(settings, "<MAILER-DAEMON@mx.example.org>"), "550 5.1.6");
  EXPECT_EQ(to(settings, "<postmaster@mx.example.org>"), "ops@elsewhere.example");
  EXPECT_EQ(to(settings, "<abuse@srs.example.org>"), "ops@elsewhere.example");
  EXPECT_EQ(to(settings, "<other@srs.example.org>"), "all@mail.example");
}

}  // namespace
}  // namespace relay::forward
