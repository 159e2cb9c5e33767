// [[dns_list]], [abuse], [greylist] and [rates] as read from a file.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/loader.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"
#include "relay/settings/units.hpp"

namespace relay::settings {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHead =
    "hostname = \"mx.example.org\"\n"
    "[[domain]]\nname = \"example.org\"\n[domain.alias]\n\"*\" = \"me@mail.example\"\n";

class AbuseSettings : public testing::Test {
 protected:
  std::expected<Loaded, std::vector<Problem>> read(const std::string& text) {
    const fs::path file =
        fs::temp_directory_path() / ("srs-relay-abuse-" + std::to_string(::getpid()) + ".toml");
    std::ofstream(file) << kHead << text;
    auto loaded = load(file.string());
    fs::remove(file);
    return loaded;
  }

  /// "line:column text" of every error.
  std::vector<std::string> errors(const std::string& text) {
    const auto loaded = read(text);
    std::vector<std::string> found;
    if (loaded) return found;
    for (const Problem& problem : loaded.error()) {
      found.push_back(std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column) +
                      ' ' + problem.text);
    }
    return found;
  }
};

TEST_F(AbuseSettings, AreOffByDefault) {
  const auto loaded = read("");
  ASSERT_TRUE(loaded);
  const Settings& settings = *loaded->settings;
  EXPECT_TRUE(settings.dns_lists.empty());
  EXPECT_FALSE(settings.greylist.enabled);
  EXPECT_EQ(settings.greylist.delay, 5min);
  EXPECT_EQ(settings.greylist.retry_window, 48h);
  EXPECT_EQ(settings.greylist.remember, 24h * 36);
  for (const base::Rate& rate :
       {settings.rates.per_client, settings.rates.per_network, settings.rates.per_alias,
        settings.rates.per_sender_domain, settings.rates.per_signature, settings.rates.per_target,
        settings.rates.unknown}) {
    EXPECT_EQ(rate.count, 0U);
  }
}

TEST_F(AbuseSettings, BoundRcptCommands) {
  const auto by_default = read("");
  ASSERT_TRUE(by_default);
  EXPECT_EQ(by_default->settings->limits.rcpts, (base::Rate{200'000, 10min}));
  EXPECT_EQ(by_default->settings->limits.rcpts_per_ip, (base::Rate{20'000, 1h}));
  EXPECT_EQ(by_default->settings->limits.rcpts_per_network, (base::Rate{40'000, 1h}));
  const auto loaded = read(
      "[limits]\nrcpts = \"5000/10min\"\nrcpts_per_ip = \"600/h\"\nrcpts_per_network = "
      "\"0/h\"\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->limits.rcpts, (base::Rate{5000, 10min}));
  EXPECT_EQ(loaded->settings->limits.rcpts_per_ip, (base::Rate{600, 1h}));
  EXPECT_EQ(loaded->settings->limits.rcpts_per_network.count, 0U);
  EXPECT_THAT(errors("[limits]\nrcpts_per_ip = 600\n"),
              ElementsAre(HasSubstr("7:16 limits.rcpts_per_ip: expected a rate in quotes")));
}

TEST_F(AbuseSettings, SayWhatIsInTheFile) {
  const auto loaded = read(
      "[[dns_list]]\nzone = \"ZEN.list.example\"\n"
      "[[dns_list]]\nzone = \"wl.example\"\nkind = \"allow\"\nweight = 4\n"
      "answers = [\"127.0.0.2-11\", \"127.0.1.4\"]\n"
      "[abuse]\ndns_list_refuse = 8\ndns_list_at = \"connect\"\n"
      "[greylist]\nenabled = true\ndelay = \"2s\"\nretry_window = \"1h\"\nremember = \"1d\"\n"
      "trusted_after = 3\n"
      "[rates]\nper_client = \"600/h\"\nper_network = \"60/min\"\nper_alias = \"1000/d\"\n"
      "per_sender_domain = \"5/s\"\nper_signature = \"2000/d\"\nper_target = \"7/d\"\nunknown = "
      "\"100/h\"\n");
  ASSERT_TRUE(loaded);
  const Settings& settings = *loaded->settings;
  ASSERT_EQ(settings.dns_lists.size(), 2U);
  EXPECT_EQ(settings.dns_lists[0].zone, "zen.list.example");
  EXPECT_FALSE(settings.dns_lists[0].allows);
  EXPECT_EQ(settings.dns_lists[0].weight, 10U);
  EXPECT_TRUE(settings.dns_lists[1].allows);
  ASSERT_EQ(settings.dns_lists[1].answers.size(), 2U);
  EXPECT_EQ(settings.dns_lists[1].answers[0].first, 0x7F000002U);
  EXPECT_EQ(settings.dns_lists[1].answers[0].last, 0x7F00000BU);
  EXPECT_EQ(settings.dns_lists[1].answers[1].first, settings.dns_lists[1].answers[1].last);
  EXPECT_EQ(settings.abuse.dns_list_refuse, 8U);
  EXPECT_EQ(settings.abuse.dns_list_at, DnsListStage::Connect);
  EXPECT_TRUE(settings.greylist.enabled);
  EXPECT_EQ(settings.greylist.trusted_after, 3U);
  EXPECT_EQ(settings.rates.per_network.count, 60U);
  EXPECT_EQ(settings.rates.per_network.span, 1min);
  EXPECT_EQ(settings.rates.per_sender_domain.span, 1s);
  EXPECT_EQ(settings.rates.per_signature.count, 2000U);
  EXPECT_EQ(settings.rates.per_target.count, 7U);
}

TEST_F(AbuseSettings, AreReportedWithTheirPlace) {
  EXPECT_THAT(errors("[[dns_list]]\nkind = \"blok\"\nweight = 0\nanswers = \"192.0.2.1\"\n"),
              testing::UnorderedElementsAre(
                  HasSubstr("6:1 dns_list.zone: says which list"),
                  HasSubstr("7:8 dns_list.kind: takes block, allow, not \"blok\""),
                  HasSubstr("8:10 dns_list.weight: must be between 1 and 1000"),
                  HasSubstr("9:11 dns_list.answers: expected answers such as")));
  EXPECT_THAT(errors("[[dns_list]]\nzone = \"bad zone\"\n"),
              ElementsAre(HasSubstr("7:8 dns_list.zone: not a domain name")));
  EXPECT_THAT(errors("[[dns_list]]\nzone = \"" + std::string(50, 'a') + "." + std::string(60, 'b') +
                     "." + std::string(60, 'c') + "." + std::string(30, 'd') + "\"\n"),
              ElementsAre(HasSubstr("7:8 dns_list.zone: too long")));
  EXPECT_THAT(
      errors("[abuse]\ndns_list_at = \"data\"\nlimit = 1\n"),
      testing::UnorderedElementsAre(HasSubstr("7:15 abuse.dns_list_at: takes connect, rcpt"),
                                    HasSubstr("8:1 unknown key `abuse.limit`")));
  EXPECT_THAT(errors("[greylist]\ndelay = \"1h\"\nretry_window = \"30m\"\n"),
              ElementsAre(HasSubstr("8:16 greylist.retry_window: must be longer than delay")));
  EXPECT_THAT(errors("[rates]\nper_client = 600\nper_alias = \"600\"\n"),
              ElementsAre(HasSubstr("7:14 rates.per_client: expected a rate in quotes"),
                          HasSubstr("8:13 rates.per_alias: expected a rate such as")));
}

/// Unverified mail cannot be counted, so the operator is warned.
TEST_F(AbuseSettings, WarnOfARateThatCountsNothing) {
  const auto warns = [&](const std::string& text) {
    const auto loaded = read(text + "[rates]\nper_signature = \"9/h\"\n");
    return loaded && std::ranges::any_of(loaded->warnings, [](const Problem& problem) {
             return problem.text.contains("per_signature");
           });
  };
  EXPECT_TRUE(warns("[auth]\nverify = false\n[bounces]\nto = \"anyone\"\n"));
  EXPECT_FALSE(warns(""));
}

TEST_F(AbuseSettings, TooManyListsAreAnError) {
  std::string text;
  for (int i = 0; i < 33; ++i)
    text += "[[dns_list]]\nzone = \"l" + std::to_string(i) + ".example\"\n";
  EXPECT_THAT(errors(text), ElementsAre(HasSubstr("more than 32 lists")));
}

TEST_F(AbuseSettings, ListsThatCanNeverRefuseAreWarnedOf) {
  const std::string lists =
      "[[dns_list]]\nzone = \"a.example\"\nweight = 3\n"
      "[[dns_list]]\nzone = \"b.example\"\nweight = 6\n";
  const auto warned = [&](const std::string& text) {
    const auto loaded = read(text);
    return loaded && std::ranges::any_of(loaded->warnings, [](const Problem& problem) {
             return problem.text.find("no client is refused") != std::string::npos;
           });
  };
  EXPECT_TRUE(warned(lists));
  EXPECT_FALSE(warned(lists + "[abuse]\ndns_list_refuse = 9\n"));
}

struct AnswersRow {
  const char* text;
  std::uint32_t first;
  std::uint32_t last;  ///< 0: refused
};

class ListAnswers : public testing::TestWithParam<AnswersRow> {};

TEST_P(ListAnswers, AreARangeOfTheLastOctet) {
  const auto range = parse_list_answers(GetParam().text);
  ASSERT_EQ(range.has_value(), GetParam().last != 0);
  if (range) {
    EXPECT_EQ(range->first, GetParam().first);
    EXPECT_EQ(range->second, GetParam().last);
  } else {
    EXPECT_FALSE(range.error().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ListAnswers,
    testing::Values(AnswersRow{"127.0.0.2", 0x7F000002, 0x7F000002},
                    AnswersRow{"127.0.0.2-11", 0x7F000002, 0x7F00000B},
                    AnswersRow{"127.0.0.2-2", 0x7F000002, 0x7F000002},
                    AnswersRow{"127.255.254.0-255", 0x7FFFFE00, 0x7FFFFEFF},
                    AnswersRow{"127.0.0.11-2", 0, 0}, AnswersRow{"127.0.0.2-256", 0, 0},
                    AnswersRow{"127.0.0.2-", 0, 0}, AnswersRow{"-11", 0, 0},
                    AnswersRow{"127.0.0.2-127.0.0.11", 0, 0}, AnswersRow{"127.0.0", 0, 0},
                    AnswersRow{"128.0.0.2", 0, 0}, AnswersRow{"127.255.255.254", 0, 0},
                    AnswersRow{"::1", 0, 0}, AnswersRow{"", 0, 0}, AnswersRow{" 127.0.0.2", 0, 0}));

}  // namespace
}  // namespace relay::settings
