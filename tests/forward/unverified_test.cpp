// With [auth] verify = false, copies leave under no name of ours that a receiver could take for the
// author's. Judged from the copies alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

constexpr base::WallTime kNow{std::chrono::seconds(1'795'500'000)};

using mail::AuthorProblem;

struct Names {
  std::string hostname;
  std::string srs;  ///< "": no [srs]
};

class Unverified : public testing::Test {
 protected:
  void use(const Names& names) {
    auto settings = house::policy();
    settings.hostname = names.hostname;
    settings.srs.domain.reset();
    settings.rewrite_domain.reset();
    if (!names.srs.empty()) settings.srs.domain = house::domain(names.srs);
    planner_ = *Planner::make(std::make_shared<const Policy>(settings), house::organisation_of);
  }

  std::expected<Plan, PlanRefusal> plan(const std::string& sender, const NamedAuthors& authors) {
    const auto taken =
        planner_->directory().resolve(*mail::parse_forward_path("<info@hosted.example>"), kNow);
    return planner_->plan(
        {id_, *mail::parse_reverse_path('<' + sender + '>'), client_, kNow, 0, authors},
        {std::get<ResolvedRecipient>(taken)}, std::nullopt);
  }

  /// The sender of the one copy, or the code of the refusal.
  std::string way(const std::string& sender, const NamedAuthors& authors) {
    const auto made = plan(sender, authors);
    if (!made) return std::to_string(made.error().code);
    const auto& path = made->routes.at(0).reverse_path;
    if (path.is_null()) return "<>";
    return path.to_string() == sender ? "kept" : path.mailbox().domain().folded();
  }

  static NamedAuthors by(const std::vector<std::string>& domains) {
    std::vector<mail::Domain> authors;
    for (const auto& one : domains) authors.push_back(house::domain(one));
    return authors;
  }

  mail::MessageId id_;
  std::string client_ = "192.0.2.7";
  std::shared_ptr<const Planner> planner_;
};

const Names kOutside{"mx.relay.example", "srs.relay.example"};
const Names kInside{"mx.hosted.example", "srs.hosted.example"};

TEST_F(Unverified, OrdinaryMailLeavesUnderAnSrsAddress) {
  for (const Names& names : {kOutside, kInside}) {
    use(names);
    EXPECT_EQ(way("ann@sender.example", by({"sender.example"})), names.srs);
    EXPECT_EQ(way("ann@sender.example", std::unexpected(AuthorProblem::NoField)), names.srs);
    EXPECT_EQ(way("", by({"sender.example"})), "<>");
    EXPECT_EQ(way("", std::unexpected(AuthorProblem::Nobody)), "<>");
  }
  use(kOutside);
  EXPECT_EQ(way("ann@hosted.example", by({"hosted.example"})), "srs.relay.example");
  EXPECT_EQ(way("", by({"hosted.example"})), "<>");
  EXPECT_EQ(way("a@sender.example", std::unexpected(AuthorProblem::SeveralFields)), kOutside.srs);
}

/// An SRS domain inside a hosted organisation would prove any mail that claims to come from there.
TEST_F(Unverified, AHostedAuthorKeepsTheSenderWhereSrsWouldSpeakForHim) {
  use(kInside);
  for (const char* author : {"hosted.example", "sub.hosted.example"}) {
    EXPECT_EQ(way("eve@stranger.example", by({author})), "kept");
    EXPECT_EQ(way("eve@stranger.example", by({"stranger.example", author})), "kept");
    EXPECT_EQ(way("ann@hosted.example", by({author})), "550");
    EXPECT_EQ(way("eve@mail.hosted.example", by({author})), "550");
    EXPECT_EQ(way("", by({author})), "550");
  }
  // A From that can be read in several ways could name any author.
  EXPECT_EQ(way("eve@stranger.example", std::unexpected(AuthorProblem::SeveralFields)), "kept");
  EXPECT_EQ(way("ann@hosted.example", std::unexpected(AuthorProblem::SeveralFields)), "550");
  EXPECT_EQ(way("", std::unexpected(AuthorProblem::UnreadableField)), "550");
  EXPECT_EQ(plan("", by({"hosted.example"})).error().text,
            "The author in From is of this host, which verifies nobody");
}

TEST_F(Unverified, WithoutSrsTheSenderStaysButForOurOwnNames) {
  use({"mx.relay.example", ""});
  EXPECT_EQ(way("ann@sender.example", by({"sender.example"})), "kept");
  EXPECT_EQ(way("eve@stranger.example", by({"hosted.example"})), "kept");
  EXPECT_EQ(way("ann@hosted.example", by({"sender.example"})), "kept");
  EXPECT_EQ(way("ann@hosted.example", by({"hosted.example"})), "550");
}

TEST_F(Unverified, WhatComesBackLeavesWithAHeloThatCannotSpeakForItsAuthor) {
  for (const Names& names : {kOutside, kInside}) {
    use(names);
    const auto out = plan("ann@sender.example", by({"sender.example"}));
    const std::string srs = out->routes.at(0).reverse_path.to_string();
    const auto back =
        planner_->directory().resolve(*mail::parse_forward_path('<' + srs + '>'), kNow);
    const auto under = [&](const NamedAuthors& authors) {
      const auto made = planner_->plan({id_, mail::ReversePath::null(), client_, kNow, 0, authors},
                                       {std::get<ResolvedRecipient>(back)}, std::nullopt);
      return made ? made->routes.at(0).reverse_path.to_string() : "550";
    };
    EXPECT_EQ(under(by({"target.example"})), "");
    EXPECT_EQ(under(std::unexpected(AuthorProblem::Nobody)), "");
    EXPECT_EQ(under(by({"hosted.example"})), names.hostname == "mx.relay.example" ? "" : "550");
  }
}

/// A gateway has accepted the message, so it is held; a message to an SRS address never is.
TEST_F(Unverified, HoldsWhatAGatewayHasAcceptedButNothingThatComesBack) {
  use(kInside);
  const auto late = [&](const std::string& recipient, const mail::ReversePath& sender) {
    const auto to =
        planner_->directory().resolve(*mail::parse_forward_path('<' + recipient + '>'), kNow);
    Incoming message{id_, sender, client_, kNow, 0, by({"hosted.example"})};
    message.late = LateRefusal::Hold;
    const auto made = planner_->plan(message, {std::get<ResolvedRecipient>(to)}, std::nullopt);
    return made ? (made->hold ? "held" : "leaves") : "refused";
  };
  EXPECT_EQ(late("info@hosted.example", mail::ReversePath::null()), "held");
  const auto out = plan("ann@sender.example", by({"sender.example"}));
  const std::string srs = out->routes.at(0).reverse_path.to_string();
  EXPECT_EQ(late(srs, mail::ReversePath::null()), "refused");
  use({"mx.relay.example", "srs.hosted.example"});
  EXPECT_EQ(late(srs, mail::ReversePath::null()), "leaves");
}

/// Every combination. The judge knows organisations and which domains let us send (those that we
/// forward for, and the names of this host), and asks what a receiver would find aligned with an
/// author.
TEST_F(Unverified, NothingThatLeavesIsProvenInAnAuthorsName) {
  std::size_t left = 0;
  std::size_t refused = 0;
  for (const std::string hostname : {"mx.relay.example", "mx.hosted.example", "hosted.example"}) {
    for (const std::string srs :
         {"srs.relay.example", "srs.hosted.example", "hosted.example", ""}) {
      use({hostname, srs});
      for (const std::string sender :
           {"", "x@stranger.example", "x@hosted.example", "x@sub.hosted.example",
            "x@mx.relay.example", "x@srs.relay.example"}) {
        for (const std::vector<std::string>& authors :
             {std::vector<std::string>{"stranger.example"},
              {"hosted.example"},
              {"a.hosted.example"},
              {"relay.example"},
              {"stranger.example", "hosted.example"}}) {
          const auto made = plan(sender, by(authors));
          ++(made ? left : refused);
          if (!made) continue;
          const auto& path = made->routes.at(0).reverse_path;
          const std::string spf = path.is_null() ? hostname : path.mailbox().domain().folded();
          const std::string organisation = house::organisation_of(spf);
          const bool passes = organisation == "hosted.example" || spf == hostname || spf == srs;
          for (const std::string& author : authors) {
            EXPECT_FALSE(passes && house::organisation_of(author) == organisation)
                << hostname << ' ' << srs << " <" << sender << "> From " << author << " leaves as "
                << spf;
          }
          EXPECT_EQ(made->signed_by, "");
          EXPECT_FALSE(made->routes.at(0).handling.seal);
        }
      }
    }
  }
  EXPECT_EQ(left + refused, 3U * 4 * 6 * 5);
  EXPECT_GT(left, refused) << "ordinary mail is not what is refused";
}

}  // namespace
}  // namespace relay::forward
