// The same for changes, pauses, status, reload, and spans of time.
#include <gmock/gmock.h>

#include "relay/ops/print_json.hpp"
#include "relay/ops/print_text.hpp"
#include "relay/ops/relative_time.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace relay::ops {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Print, Changes) {
  const ChangeView done{.action = ports::QueueAction::Drop, .changed = 3, .under_way = 1};
  EXPECT_EQ(text_lines(done),
            "3 changed, 1 under way\n"
            "under way: all of it is sent, and the next hop may still take it\n");
  EXPECT_EQ(json_lines(done), "{\"v\":1,\"changed\":3,\"under_way\":1}\n");
  EXPECT_EQ(text_lines(ChangeView{.changed = 3}), "3 changed, 0 under way\n");
  const ChangeView would{.changed = 3, .dry_run = true};
  EXPECT_EQ(text_lines(would), "3 would change\n");
  EXPECT_EQ(json_lines(would), "{\"v\":1,\"dry_run\":true,\"would_change\":3}\n");
}

TEST(Print, Pauses) {
  PauseView view{.now = fakes::FakeClock::kStart,
                 .rule = {ports::PauseRule::Kind::Host, "google.com", "they\x1b are down",
                          fakes::FakeClock::kStart, fakes::FakeClock::kStart + 1h}};
  EXPECT_EQ(text_lines(view),
            "paused mx:google.com until 2026-11-24T04:00:00.000Z (in 1 h): they\\x1b are "
            "down\n");
  EXPECT_EQ(json_lines(view),
            R"({"v":1,"pause":{"kind":"mx","value":"google.com","reason":"they\u001b are down",)"
            R"("since":"2026-11-24T03:00:00.000Z","until":"2026-11-24T04:00:00.000Z"},)"
            "\"holds\":true}\n");
  view.rule.until.reset();
  EXPECT_EQ(text_lines(view), "paused mx:google.com: they\\x1b are down\n");
  view.holds = false;
  EXPECT_EQ(text_lines(view), "mx:google.com goes on\n");
}

StatusView a_status() {
  DaemonStatus daemon{.version = "0.1.0",
                      .config_path = "/etc/srs-relay/srs-relay.toml",
                      .config_hash = "abc",
                      .config_loaded_at = fakes::FakeClock::kStart,
                      .started_at = fakes::FakeClock::kStart,
                      .pid = 7,
                      .sessions_open = 1,
                      .deliveries_in_flight = 2,
                      .connections_kept = 5,
                      .items_in_memory = 3,
                      .crashed_tasks = 4,
                      .log_lines_dropped = 5,
                      .stuck_tasks = 6,
                      .bounces_taken = 8,
                      .bounces_refused = 9,
                      .bounces_throttled = 10,
                      .content_refused = 26,
                      .copies_delivered = 11,
                      .copies_bounced = 12,
                      .copies_suppressed = 13,
                      .clients_listed = 14,
                      .dns_list_failures = 15,
                      .greylisted = 16,
                      .greylist_passed = 17,
                      .over_rate = 18,
                      .self_checks = 19,
                      .self_check_failures = 20};
  return {
      .now = fakes::FakeClock::kStart,
      .daemon = std::move(daemon),
      .totals = ports::QueueTotals{21, 22, 23, 24, 25},
      .pauses = {
          {ports::PauseRule::Kind::Domain, "fwd.example", "moving", fakes::FakeClock::kStart, {}}}};
}

TEST(Print, Status) {
  EXPECT_EQ(text_lines(a_status()),
            R"(srs-relay 0.1.0  pid 7  up since 2026-11-24T03:00:00.000Z
config /etc/srs-relay/srs-relay.toml (abc) loaded 2026-11-24T03:00:00.000Z
sessions 1  deliveries 2 (5 connections kept)  items in memory 3  crashed tasks 4  stuck 6
log 5 lines dropped
queue 21 messages, 22 waiting, 23 held, 24 octets, 25 with a DSN owed
paused domain:fwd.example: moving
bounces 8 taken, 9 with an invalid address, 10 put off
content of 26 messages refused, as malformed or too large
copies 11 delivered, 12 bounced, 13 failed with nobody to tell
abuse 14 refused by DNS lists (15 lookups failed), 16 greylisted, 17 passed, 18 over a rate
signatures of 19 messages verified before they left, 20 did not hold
)");
  EXPECT_EQ(
      json_lines(a_status()),
      R"({"v":1,"version":"0.1.0","pid":7,"started":"2026-11-24T03:00:00.000Z",)"
      R"("config":"/etc/srs-relay/srs-relay.toml","config_hash":"abc",)"
      R"("config_loaded":"2026-11-24T03:00:00.000Z","sessions":1,"deliveries":2,"connections_kept":5,)"
      R"("items_in_memory":3,"crashed_tasks":4,"log_lines_dropped":5,"stuck_tasks":6,)"
      R"("bounces":{"taken":8,"refused":9,"throttled":10},"content_refused":26,)"
      R"("ended":{"delivered":11,"bounced":12,"suppressed":13},)"
      R"("abuse":{"listed":14,"list_failures":15,"greylisted":16,"greylist_passed":17,)"
      R"("over_rate":18},"self_checks":19,"self_check_failures":20,)"
      R"("spool_poisoned":false,"draining":false,"needs_restart":[],"troubles":[],"warnings":[],"warnings_in_all":0,)"
      R"("queue":{"messages":21,"waiting":22,"held":23,"bytes":24,"owed_reports":25},)"
      R"("pauses":[{"kind":"domain","value":"fwd.example","reason":"moving",)"
      R"("since":"2026-11-24T03:00:00.000Z"}]})"
      "\n");
}

TEST(Print, StatusOfARelayInTrouble) {
  StatusView view = a_status();
  view.totals = std::unexpected(ports::SpoolError::Poisoned);
  view.daemon.spool_poisoned = true;
  view.daemon.draining = true;
  EXPECT_THAT(text_lines(view), HasSubstr("queue queue storage failed\n"));
  EXPECT_THAT(text_lines(view), HasSubstr("STORAGE FAILED: see the log\nshutting down\n"));
  EXPECT_THAT(json_lines(view), HasSubstr(R"("queue_error":"queue storage failed")"));
  view.daemon.needs_restart = {"threads"};
  view.daemon.troubles = {{.of = "disk",
                           .text = "mail is put off: no room",
                           .count = 3,
                           .last = view.now - std::chrono::minutes(2)},
                          {.of = "memory", .text = "too little", .count = 0, .last = {}}};
  EXPECT_THAT(text_lines(view),
              HasSubstr("TROUBLE disk: mail is put off: no room (3 times since the start, last 2 m "
                        "ago)\nTROUBLE memory: too little\n"
                        "takes effect at the next start: threads\n"));
  EXPECT_THAT(json_lines(view),
              HasSubstr(R"("needs_restart":["threads"],"troubles":[{"of":"disk","text":)"
                        R"("mail is put off: no room","count":3,"last":"2026-)"));
}

TEST(Print, Reload) {
  const ReloadView refused{.problems = {"a.toml:1:1: error\n  1 | x\n    | ^", "b"}};
  EXPECT_EQ(text_lines(refused),
            "a.toml:1:1: error\n  1 | x\n    | ^\nb\n"
            "not applied; the old settings stay in force\n");
  EXPECT_EQ(json_lines(refused),
            R"({"v":1,"applied":false,"problems":["a.toml:1:1: error\u000a  1 | x\u000a    | ^",)"
            R"("b"],"needs_restart":[],"warnings":[],"warnings_in_all":0})"
            "\n");
  const ReloadView applied{.applied = true, .needs_restart = {"tls"}};
  EXPECT_EQ(text_lines(applied), "takes effect at the next start: tls\napplied\n");
  EXPECT_EQ(json_lines(applied),
            "{\"v\":1,\"applied\":true,\"problems\":[],\"needs_restart\":[\"tls\"],"
            "\"warnings\":[],\"warnings_in_all\":0}\n");
}

/// What speaks against the configuration in force stands in both, for it is in force.
TEST(Print, WarningsOfTheConfiguration) {
  const ConfigWarnings warnings{.shown = {{.file = "a.toml",
                                           .line = 3,
                                           .column = 7,
                                           .text = "x\x1b leads nowhere",
                                           .hint = "write y",
                                           .check = "alias-target"},
                                          {.file = "a.toml", .text = "all of it"}},
                                .in_all = 5};
  StatusView status = a_status();
  status.daemon.warnings = warnings;
  const std::string told =
      "warning a.toml:3:7: x\\x1b leads nowhere (write y)\n"
      "warning a.toml: all of it\n"
      "3 more warnings: see `srs-relay check`\n";
  EXPECT_THAT(text_lines(status), HasSubstr(" loaded 2026-11-24T03:00:00.000Z\n" + told));
  const ReloadView applied{.applied = true, .warnings = warnings};
  EXPECT_EQ(text_lines(applied), told + "applied\n");
  const std::string values =
      R"("warnings":[{"file":"a.toml","line":3,"column":7,"text":"x\u001b leads nowhere",)"
      R"("hint":"write y","check":"alias-target"},)"
      R"({"file":"a.toml","line":0,"column":0,"text":"all of it"}],"warnings_in_all":5)";
  EXPECT_THAT(json_lines(status), HasSubstr(values));
  EXPECT_THAT(json_lines(applied), HasSubstr(values));
}

TEST(RelativeTime, NamesTheLargestUnits) {
  EXPECT_EQ(span_text(0ms), "0 s");
  EXPECT_EQ(span_text(999ms), "0 s");
  EXPECT_EQ(span_text(-5s), "0 s");
  EXPECT_EQ(span_text(59s), "59 s");
  EXPECT_EQ(span_text(119s), "1 m");
  EXPECT_EQ(span_text(3h + 12min), "3 h");
  EXPECT_EQ(span_text(3h + 12min, 2), "3 h 12 m");
  EXPECT_EQ(span_text(24h * 4 + 59min, 2), "4 d");
  EXPECT_EQ(span_text(24h * 400), "400 d");
  const base::WallTime now = fakes::FakeClock::kStart;
  EXPECT_EQ(ago(now, now - 12min), "12 m ago");
  EXPECT_EQ(ago(now, now + 12min), "0 s ago");  // somebody set the clock
  EXPECT_EQ(until(now, now + 12min), "in 12 m");
  EXPECT_EQ(until(now, now), "now");
  EXPECT_EQ(until(now, now - 1h), "now");
}

}  // namespace
}  // namespace relay::ops
