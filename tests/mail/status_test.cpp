#include "relay/mail/status.hpp"

#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "relay/mail/date.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::mail {
namespace {

TEST(EnhancedStatus, ReadsALeadingCodeOnly) {
  std::string_view rest;
  EXPECT_EQ(EnhancedStatus::parse("5.1.1 No such user", &rest), (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(rest, "No such user");
  EXPECT_EQ(EnhancedStatus::parse("2.0.0", &rest), (EnhancedStatus{2, 0, 0}));
  EXPECT_EQ(rest, "");
  EXPECT_EQ(EnhancedStatus::parse("4.999.999 x"), (EnhancedStatus{4, 999, 999}));
  for (const char* bad : {"", "5", "5.1", "5.1.", "5.1.x", "3.1.1 x", "5.1.1x", "5.1.1.1 x",
                          "5.1.1000 x", " 5.1.1 x", "5..1 x", "55.1.1 x", "-5.1.1 x"}) {
    EXPECT_FALSE(EnhancedStatus::parse(bad)) << bad;
  }
}

TEST(Stage, HasANameForEach) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Stage::EndOfData); ++i) {
    names.insert(name(static_cast<Stage>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Stage::EndOfData) + 1);
  EXPECT_FALSE(names.contains(""));
}

TEST(HeaderDate, IsRfc5322InUtc) {
  EXPECT_EQ(header_date(base::WallTime{}), "Thu, 1 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(header_date(base::WallTime{std::chrono::milliseconds(1'709'210'096'999)}),
            "Thu, 29 Feb 2024 12:34:56 +0000");
}

}  // namespace
}  // namespace relay::mail
