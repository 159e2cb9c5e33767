// A configuration read from files, and its findings, each line as an operator sees it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "relay/review/review.hpp"
#include "tests/settings/loader_fixture.hpp"

namespace relay::review {

class Review : public settings::LoaderFixture {
 protected:
  /// 2026-11-24 noon.
  static constexpr base::WallTime kNow{std::chrono::seconds(1'795'521'600)};

  /// A configuration without findings; each test adds the lines it is about.
  static std::string quiet() {
    return "hostname = \"mx.relay.example\"\n"
           "[srs]\ndomain = \"srs.relay.example\"\n"
           "[[srs.secret]]\nid = \"k\"\nfile = \"secrets/good\"\n"
           "[defaults]\npostmaster = \"me@mail.example\"\n";
  }

  /// The domain fwd.example with these lines of [domain.alias].
  static std::string domain(const std::string& aliases) {
    return quiet() + "[[domain]]\nname = \"fwd.example\"\n[domain.alias]\n" + aliases;
  }

  /// The findings of the check of that name, rendered, with the folder cut away.
  std::vector<std::string> said(const std::string& check, const std::string& text) {
    auto loaded = load_text(text);
    if (!loaded) {
      ADD_FAILURE() << render(loaded.error().front());
      return {};
    }
    const auto planner = forward::Planner::make(loaded->settings);
    if (!planner) {
      ADD_FAILURE() << planner.error();
      return {};
    }
    Subject subject{.settings = *loaded->settings,
                    .forwarding = *loaded->settings,
                    .planner = **planner,
                    .signing = signing_,
                    .now = kNow,
                    .certificate = certificate_,
                    .own = own_,
                    .unreadable = unreadable_,
                    .remembered = remembered_};
    std::vector<std::string> lines;
    for (const auto& problem : review(subject, check)) {
      EXPECT_TRUE(problem.warning) << "this room only warns";
      EXPECT_EQ(problem.check, check);
      EXPECT_TRUE(!problem.hint.empty() || problem.text.ends_with("more like these"))
          << "what to do about it: " << problem.text;
      std::string line = render(problem);
      const std::string prefix = folder_.string() + '/';
      for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) {
        line.erase(at, prefix.size());
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }

  auth::SigningKeys signing_;
  std::optional<Certificate> certificate_;
  std::vector<boost::asio::ip::address> own_;
  std::vector<Unreadable> unreadable_;
  std::vector<RememberedSecret> remembered_;
};

}  // namespace relay::review
