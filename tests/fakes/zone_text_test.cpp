#include "tests/fakes/zone_text.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::fakes {
namespace {

using testing::ElementsAre;

TEST(ZoneText, ReadsNames) {
  EXPECT_EQ(presentation_name("MX1.Example.org."), "mx1.example.org");
  EXPECT_EQ(presentation_name("."), ".");
  EXPECT_EQ(presentation_name(R"(m\032x.example)"), R"(m\032x.example)");
  EXPECT_EQ(presentation_name("m x.example"), R"(m\032x.example)");
  EXPECT_EQ(presentation_name(R"(\065\;\\.\"\.\252)"), R"(a;\092.\034\046\252)");
  EXPECT_THROW(presentation_name("m\\"), std::invalid_argument);
  EXPECT_THROW(presentation_name("m\\03x"), std::invalid_argument);
}

TEST(ZoneText, ReadsStrings) {
  EXPECT_THAT(character_strings(R"("v=spf1 " "-all")"), ElementsAre("v=spf1 ", "-all"));
  EXPECT_THAT(character_strings(R"("a\"\\\035\255" "")"), ElementsAre("a\"\\#\xff", ""));
  EXPECT_THROW(character_strings("bare"), std::invalid_argument);
  EXPECT_THROW(character_strings("\"open"), std::invalid_argument);
}

}  // namespace
}  // namespace relay::fakes
