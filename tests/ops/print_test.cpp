// Output for operators and their scripts, character by character.
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "relay/ops/json_line.hpp"
#include "relay/ops/print_json.hpp"
#include "relay/ops/print_text.hpp"
#include "tests/ops/desk_house.hpp"
#include "tests/support/golden.hpp"

namespace relay::ops {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

/// Output for users and their scripts does not change by accident.
void expect_golden(const std::string& name, const std::string& text) {
  support::expect_golden("tests/ops/golden/" + name, text);
}

/// The desk's own views, printed.
class PrintTest : public DeskHouse {
 protected:
  ports::QueueRow& deferred() {
    auto& row = add();
    row.tls = "TLSv1.3";
    row.message_id = "1@sender.example";
    row.handling = {.seal = true, .reason = "SPF passed alone"};
    defer(row, clock_.wall() - 3min);
    queue_.history[row.copy.message] = {{0, row.last}};
    queue_.history[row.copy.message].front().attempt.tls_result =
        mail::TlsResult::CertificateExpired;
    return row;
  }

  ports::QueueRow& held() {
    auto& row = add("Me@y.example");
    row.mail_from = "";
    row.sender = "";
    row.state = mail::RecipientState::Held;
    row.held_on_entry = true;
    row.awaits = "me@y.example";
    row.handling.reason = "held: the target has not confirmed";
    row.possible_duplicate = true;
    return row;
  }

  ListPage page() { return *run(desk_.list({}, std::nullopt, 100)); }

  MessageView shown(const ports::QueueRow& row) { return *run(desk_.show(one(row))); }

  WhyView why(const ports::QueueRow& row) { return *run(desk_.why(one(row))); }
};

TEST_F(PrintTest, AListHasColumns) {
  deferred();
  held();
  add("you@z.example").received_at = clock_.wall() - 59s;
  expect_golden("list.txt", list_heading() + text_lines(page()));
}

TEST_F(PrintTest, AListCutsLongRepliesBetweenTwoCharacters) {
  auto& row = deferred();
  for (std::size_t length = 80; length < 100; ++length) {
    row.last.text = std::string(length, 'x');
    for (int i = 0; i < 20; ++i) row.last.text += "\xC3\xA4";
    const std::string text = text_lines(page());
    EXPECT_THAT(text, HasSubstr("…)\n"));
    EXPECT_THAT(text, Not(HasSubstr("\\x")));
  }
}

TEST_F(PrintTest, WhereTheListGoesOn) {
  EXPECT_EQ(text_more(deferred().copy), "more: --after 01M85DMB000400000000000000/0\n");
  EXPECT_EQ(json_more(1000, queue_.rows.front().copy),
            R"({"v":1,"truncated":true,"listed":1000,"next":"01M85DMB000400000000000000/0"})"
            "\n");
}

TEST_F(PrintTest, AMessageIsShownWithItsHeader) {
  const auto id = deferred().copy.message;
  queue_.chunks[id] = {"Subject: a\x1b[31m\r\n\tb\r\n\r\nbody"};
  held().copy = {id, 1};
  expect_golden("show.txt", text_lines(shown(queue_.rows.front())));
}

TEST_F(PrintTest, WhyACopyIsWhereItIs) {
  auto& row = deferred();
  delivery_.waiting[row.copy] = {.what = ports::Waiting::For::Pause, .text = "they are\ndown"};
  expect_golden("why.txt", text_lines(why(row)));
}

TEST_F(PrintTest, WhatACopyWaitsFor) {
  auto& row = add();
  const auto text = [&](ports::Waiting waits) {
    delivery_.waiting[row.copy] = std::move(waits);
    return text_lines(why(row));
  };
  EXPECT_THAT(
      text({.what = ports::Waiting::For::Rate, .copies_before = 7, .copies = 10, .span = 10s}),
      HasSubstr("    waits  for the risk pool: 10 copies in 10 s to this destination, 7 "
                "before it\n"));
  EXPECT_THAT(text({.what = ports::Waiting::For::Outage, .text = "connection refused"}),
              HasSubstr("    waits  nothing answered lately: connection refused\n"));
  EXPECT_THAT(text({.what = ports::Waiting::For::Connection, .copies_before = 3}),
              HasSubstr("    waits  for a connection to this destination, 3 before it\n"));
}

TEST_F(PrintTest, HowACopyEndsThatNobodyIsToldOf) {
  auto& row = add();
  row.mail_from = "";
  row.received_at = clock_.wall() - 121h;
  EXPECT_THAT(text_lines(why(row)),
              HasSubstr("    end    expires with its next attempt (2026-11-24T02:00:00.000Z), then "
                        "nobody is told: its sender is the null sender\n"));
}

TEST_F(PrintTest, HowACopyHasEnded) {
  auto& row = add();
  row.attempts = 1;
  const auto text = [&](mail::RecipientState state, mail::End end) {
    row.state = state;
    row.end = end;
    return text_lines(shown(row));
  };
  using mail::End;
  using mail::RecipientState;
  EXPECT_THAT(text(RecipientState::Delivered, End::Delivered),
              HasSubstr("   delivered, 1 attempt\n"));
  EXPECT_THAT(text(RecipientState::Failed, End::Refused), HasSubstr("failed: refused for good, "));
  EXPECT_THAT(text(RecipientState::Failed, End::Expired), HasSubstr("failed: expired, "));
  EXPECT_THAT(text(RecipientState::Failed, End::Dropped), HasSubstr("dropped by the operator, "));
  EXPECT_THAT(text(RecipientState::Failed, End::Returned), HasSubstr("bounced by the operator, "));
  EXPECT_THAT(text(RecipientState::Failed, End::Discarded), HasSubstr("dropped by its alias, "));
  EXPECT_THAT(text(RecipientState::Failed, End::Replaced),
              HasSubstr("replaced by the fallback of its alias, "));
}

TEST_F(PrintTest, ACopyThatStandsBy) {
  auto& row = add();
  WhyView view = why(row);
  row.state = mail::RecipientState::StandsBy;
  view.copies.push_back({.row = row, .waits_for = {}, .expires = {}});
  EXPECT_THAT(text_lines(view), HasSubstr(", then the fallback of its alias, if no other"));
  EXPECT_THAT(text_lines(view), HasSubstr("   stands by, not tried yet\n"));
  EXPECT_THAT(text_lines(view), HasSubstr("    note   the fallback of its alias: leaves when"));
  EXPECT_THAT(json_lines(view), HasSubstr(R"("state":"stands-by")"));
}

TEST_F(PrintTest, AMessageInJson) {
  auto& row = deferred();
  queue_.chunks[row.copy.message] = {"Subject: \xFF\r\n\r\n"};
  expect_golden("list.json", json_lines(page()));
  expect_golden("show.json", json_lines(shown(row)));
}

TEST_F(PrintTest, WhyInJson) {
  auto& row = deferred();
  delivery_.waiting[row.copy] = {
      .what = ports::Waiting::For::Rate, .copies_before = 7, .copies = 10, .span = 10s};
  expect_golden("why.json", json_lines(why(row)));
  row.state = mail::RecipientState::Held;
  row.released_at = clock_.wall();
  row.end = mail::End::Expired;
  EXPECT_THAT(json_lines(why(row)), HasSubstr(R"("released":"2026-11-24T03:00:00.000Z")"));
  EXPECT_THAT(json_lines(why(row)), HasSubstr(R"("end":"expired")"));
  EXPECT_THAT(json_lines(why(row)), Not(HasSubstr(R"("next_attempt")")));
}

TEST(ContentPieces, CutNoCharacterAndNoLineEnd) {
  const std::string content = "a\xC3\xA4\r\nb\xF0\x9F\x93\xAC\r\n\xFFz\r";
  for (std::size_t size = 1; size < content.size(); ++size) {
    ContentPieces pieces;
    std::string shown;
    for (std::size_t at = 0; at < content.size(); at += size) {
      shown += printable_lines(pieces.take(content.substr(at, size)));
    }
    shown += printable_lines(pieces.rest());
    EXPECT_EQ(shown, "a\xC3\xA4\nb\xF0\x9F\x93\xAC\n\\xffz\\x0d") << size;
  }
}

TEST(JsonLine, IsJsonWhateverItHolds) {
  std::mt19937 random(20261124);
  for (int i = 0; i < 2'000; ++i) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) text += static_cast<char>(random());
    JsonLine json;
    json.text("a", text).number("n", std::int64_t{-1}).texts("l", std::vector{text, text});
    const std::string line = std::move(json).line();
    boost::system::error_code error;
    boost::json::parse(line, error);
    ASSERT_FALSE(error) << line;
    ASSERT_EQ(line.find('\n'), line.size() - 1);
  }
}

}  // namespace
}  // namespace relay::ops
