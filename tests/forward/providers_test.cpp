#include "relay/forward/providers.hpp"

#include <gmock/gmock.h>

namespace relay::forward {
namespace {

ProviderTable table() {
  return ProviderTable({{.name = "google", .suffixes = {"google.com", "googlemail.com"}},
                        {.name = "microsoft", .suffixes = {"mail.protection.outlook.com"}},
                        {.name = "inner", .suffixes = {"deep.google.com"}},
                        {.name = "host", .suffixes = {"mx1.hosting.example"}}});
}

struct HostCase {
  const char* name;
  const char* host;
  const char* provider;  ///< "": none
};

class ProviderOfHost : public testing::TestWithParam<HostCase> {};

TEST_P(ProviderOfHost, IsThatOfTheLongestSuffixOfWholeLabels) {
  const ProviderTable providers = table();
  const std::string* found = providers.name_of(GetParam().host);
  EXPECT_EQ(found == nullptr ? "" : *found, GetParam().provider);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ProviderOfHost,
    testing::Values(HostCase{"Below", "aspmx.l.google.com", "google"},
                    HostCase{"ItsOtherSuffix", "aspmx2.googlemail.com", "google"},
                    HostCase{"TheNameItself", "google.com", "google"},
                    HostCase{"InAnyCase", "ASPMX.L.Google.COM", "google"},
                    HostCase{"WithTheDotOfTheRoot", "aspmx.l.google.com.", "google"},
                    HostCase{"Tenant", "dest-example.mail.protection.outlook.com", "microsoft"},
                    HostCase{"TheLongestWins", "mx.deep.google.com", "inner"},
                    HostCase{"WholeHost", "mx1.hosting.example", "host"},
                    HostCase{"AnotherHostThere", "mx2.hosting.example", ""},
                    HostCase{"PartOfALabel", "mx.notgoogle.com", ""},
                    HostCase{"SuffixInTheMiddle", "google.com.example", ""},
                    HostCase{"Above", "outlook.com", ""}, HostCase{"OneLabel", "localhost", ""},
                    HostCase{"Nothing", "", ""}, HostCase{"Dots", "..", ""},
                    HostCase{"Address", "192.0.2.1", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ProviderTable, KnowsNobodyWhenItIsEmpty) {
  EXPECT_EQ(ProviderTable().name_of("aspmx.l.google.com"), nullptr);
  EXPECT_EQ(ProviderTable(std::vector<Provider>()).name_of("aspmx.l.google.com"), nullptr);
}

TEST(ProviderTable, TellsWhatDecidesAboutTheHostsOfAProvider) {
  using End = ProviderTable::End;
  using testing::UnorderedElementsAre;
  const ProviderTable providers = table();
  EXPECT_THAT(providers.ends_of("google"),
              UnorderedElementsAre(End{"google.com"}, End{"googlemail.com"},
                                   End{.suffix = "deep.google.com", .is_its = false}));
  EXPECT_THAT(providers.ends_of("inner"), UnorderedElementsAre(End{"deep.google.com"}));
  EXPECT_TRUE(providers.ends_of("google.com").empty()) << "that is a host";
  EXPECT_TRUE(ProviderTable().ends_of("google").empty());
}

TEST(ProviderTable, GivesOneAndTheSameNameForAllSuffixesOfAProvider) {
  const ProviderTable providers = table();
  EXPECT_EQ(providers.name_of("mx.google.com"), providers.name_of("a.googlemail.com"));
}

}  // namespace
}  // namespace relay::forward
