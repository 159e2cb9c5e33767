#include "relay/ops/admin_endpoint.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "relay/ops/copy_name.hpp"
#include "relay/ops/request.hpp"
#include "tests/fakes/scripted_stream.hpp"
#include "tests/ops/desk_house.hpp"

namespace relay::ops {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

/// The text of an answer in the format "text", as the command line puts it together.
std::string text_of(const std::string& answer) {
  std::string text;
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = answer.find('\n', at);
    const auto line = boost::json::parse(answer.substr(at, end - at)).as_object();
    if (const auto* piece = line.if_contains("text")) text += piece->as_string().c_str();
    at = end + 1;
  }
  return text;
}

constexpr const char* kText = R"(,"format":"text")";

class AdminEndpointTest : public DeskHouse {};

TEST_F(AdminEndpointTest, ListsWhatMatches) {
  add("a@x.example");
  add("b@y.example");
  const auto listed = say("queue.list", {"to:x.example"});
  EXPECT_THAT(listed, HasSubstr("a@x.example"));
  EXPECT_THAT(listed, Not(HasSubstr("b@y.example")));
  EXPECT_THAT(listed, EndsWith("{\"v\":1,\"exit\":0}\n"));
}

TEST_F(AdminEndpointTest, ListsPageByPageUpToItsLimit) {
  for (int i = 0; i < 5; ++i) add();
  auto listed = say("queue.list", {}, R"(,"limit":3)");
  const std::string third = copy_name(queue_.rows[2].copy);
  EXPECT_THAT(listed, HasSubstr(R"({"v":1,"truncated":true,"listed":3,"next":")" + third + "\"}"));
  EXPECT_THAT(listed, Not(HasSubstr(id_of(queue_.rows[3]))));
  listed = say("queue.list", {}, R"(,"limit":3,"after":")" + third + '"');
  EXPECT_THAT(listed, Not(HasSubstr("truncated")));
  EXPECT_THAT(listed, Not(HasSubstr(id_of(queue_.rows[2]))));
  EXPECT_THAT(listed, HasSubstr(id_of(queue_.rows[4])));
}

TEST_F(AdminEndpointTest, ListsForPeopleWithOneHeading) {
  EXPECT_EQ(text_of(say("queue.list", {}, kText)), "nothing in the queue matches\n");
  for (int i = 0; i < 3; ++i) add();
  queue_.looked_at = 1;
  const auto text = text_of(say("queue.list", {}, kText + std::string(R"(,"limit":2)")));
  EXPECT_THAT(text, StartsWith("ID "));
  EXPECT_EQ(text.find("ID ", 1), std::string::npos);
  EXPECT_THAT(text, EndsWith("more: --after " + copy_name(queue_.rows[1].copy) + '\n'));
}

TEST_F(AdminEndpointTest, SendsALongAnswerPageByPage) {
  for (int i = 0; i < 5; ++i) add();
  queue_.looked_at = 2;
  TextSink sink;
  run(answered(R"({"verb":"queue.list"})", std::nullopt, sink));
  EXPECT_EQ(sink.pages.size(), 4U);  // three pages, and the end
  TextSink gone;
  gone.gone_after = 1;
  int listed = 0;
  queue_.before = [&](const std::string&) { ++listed; };
  run(answered(R"({"verb":"queue.list"})", std::nullopt, gone));
  EXPECT_EQ(listed, 1);  // nobody reads: nothing more is asked for
}

TEST_F(AdminEndpointTest, HoldsReleasesDropsAndBounces) {
  const std::vector<std::string> id{id_of(add())};
  EXPECT_EQ(say("queue.hold", id),
            "{\"v\":1,\"changed\":1,\"under_way\":0}\n{\"v\":1,\"exit\":0}\n");
  EXPECT_THAT(say("queue.show", id), HasSubstr("\"state\":\"held\""));
  EXPECT_THAT(say("queue.hold", id), HasSubstr("\"exit\":5"));
  EXPECT_THAT(say("queue.retry", id), HasSubstr("\"exit\":5"));  // what is held stays held
  EXPECT_THAT(say("queue.release", id), HasSubstr("\"changed\":1"));
  EXPECT_THAT(say("queue.retry", id), HasSubstr("\"changed\":1"));
  EXPECT_THAT(say("queue.drop", id), AllOf(HasSubstr("needs --reason"), HasSubstr("\"exit\":2")));
  EXPECT_THAT(say("queue.drop", id, R"(,"reason":"spam")"), HasSubstr("\"changed\":1"));
  EXPECT_EQ(queue_.rows.front().end, mail::End::Dropped);
  EXPECT_THAT(say("queue.bounce", {id_of(add())}, R"(,"reason":"gone")"),
              HasSubstr("\"changed\":1"));
  EXPECT_EQ(queue_.rows.back().end, mail::End::Returned);
}

TEST_F(AdminEndpointTest, LogsWhoAsked) {
  add();
  ask(R"({"verb":"queue.hold","filter":["all"]})", 1000);
  EXPECT_THAT(log_.lines.back(), HasSubstr(R"("uid":1000,"pid":77,"user":"ann")"));
  ask(R"({"verb":"queue.hold","filter":["all"]})");
  EXPECT_THAT(log_.lines.back(), Not(HasSubstr("uid")));
}

TEST_F(AdminEndpointTest, ChangesNothingOnADryRunAndListsWhatItWould) {
  add("a@x.example");
  add("b@x.example").state = mail::RecipientState::Held;
  const auto before = queue_.rows;
  const auto would = say("queue.retry", {"all"}, R"(,"dry_run":true)");
  EXPECT_THAT(would, HasSubstr("a@x.example"));
  EXPECT_THAT(would, Not(HasSubstr("b@x.example")));
  EXPECT_THAT(would, HasSubstr("{\"v\":1,\"dry_run\":true,\"would_change\":1}\n"));
  EXPECT_THAT(
      text_of(say("queue.drop", {"all"}, R"(,"dry_run":true,"format":"text")")),
      AllOf(HasSubstr("a@x.example"), HasSubstr("b@x.example"), EndsWith("2 would change\n")));
  EXPECT_THAT(say("queue.hold", {"to:z.example"}, R"(,"dry_run":true)"), HasSubstr("\"exit\":5"));
  EXPECT_TRUE(queue_.reasons.empty());
  EXPECT_TRUE(delivery_.withdrawn.empty());
  EXPECT_TRUE(log_.lines.empty());
}

TEST_F(AdminEndpointTest, ChangesNothingWithoutAFilterOrWithOneThatIsWrong) {
  add();
  for (const char* verb : {"retry", "hold", "release", "drop", "bounce"}) {
    const std::string name = std::string("queue.") + verb;
    const std::string reason = R"(,"reason":"x")";
    EXPECT_THAT(say(name, {}, reason), HasSubstr("\"exit\":2")) << verb;
    EXPECT_THAT(say(name, {"from:"}, reason), HasSubstr("\"exit\":2")) << verb;
    EXPECT_THAT(ask("{\"verb\":\"" + name + "\",\"reason\":\"x\"}"), HasSubstr("\"exit\":2"));
  }
  EXPECT_TRUE(queue_.reasons.empty());
}

TEST_F(AdminEndpointTest, TellsHowFarALongChangeHasCome) {
  for (int i = 0; i < 4; ++i) add();
  queue_.looked_at = 1;
  queue_.before = [this](const std::string&) { clock_.advance(1s); };
  EXPECT_THAT(say("queue.hold", {"all"}, R"(,"progress":true)"),
              StartsWith("{\"v\":1,\"progress\":2}\n{\"v\":1,\"changed\":4"));
}

TEST_F(AdminEndpointTest, TellsThatItGoesOnWhileNothingIsFound) {
  for (int i = 0; i < 3; ++i) add();
  queue_.looked_at = 1;
  const auto progress = R"({"v":1,"progress":0})"
                        "\n"
                        R"({"v":1,"progress":0})"
                        "\n";
  EXPECT_THAT(say("queue.list", {"to:z.example"}, R"(,"progress":true)"), StartsWith(progress));
  EXPECT_THAT(say("queue.hold", {"to:z.example"}, R"(,"progress":true,"dry_run":true)"),
              StartsWith(progress));
  EXPECT_THAT(say("queue.list", {"to:z.example"}), Not(HasSubstr("progress")));
}

TEST_F(AdminEndpointTest, GoesOnWithAChangeThoughNobodyReads) {
  for (int i = 0; i < 4; ++i) add();
  queue_.looked_at = 1;
  queue_.before = [this](const std::string&) { clock_.advance(2s); };
  TextSink gone;
  gone.gone_after = 0;
  run(answered(R"({"verb":"queue.hold","filter":["all"],"progress":true})", std::nullopt, gone));
  for (const auto& row : queue_.rows) EXPECT_EQ(row.state, mail::RecipientState::Held);
}

TEST_F(AdminEndpointTest, ShowsHeaderAndContent) {
  auto& row = add();
  queue_.chunks[row.copy.message] = {"Subject: a\r", "\n\r\nb\x1b\xC3", "\xA4\r\n"};
  EXPECT_THAT(say("queue.show", {id_of(row)}),
              HasSubstr(R"("header":"Subject: a\u000d\u000a","header_cut":false})"));
  EXPECT_THAT(text_of(say("queue.show", {id_of(row)}, kText)), EndsWith("\n\nSubject: a\n"));
  const auto json = say("queue.show", {id_of(row)}, R"(,"content":true)");
  EXPECT_THAT(json, HasSubstr(R"({"v":1,"content":"Subject: a"})"));
  EXPECT_THAT(json, HasSubstr("{\"v\":1,\"content\":\"\xC3\xA4\\u000d\\u000a\"}"));
  EXPECT_THAT(text_of(say("queue.show", {id_of(row)}, R"(,"content":true,"format":"text")")),
              EndsWith("\n\nSubject: a\n\nb\\x1b\xC3\xA4\n"));
}

TEST_F(AdminEndpointTest, HoldsNoMoreThanAPieceOfTheContent) {
  auto& row = add();
  queue_.chunks[row.copy.message] = {"Subject: a\r\n\r\n", std::string(1000, 'x'),
                                     std::string(1000, 'y')};
  TextSink gone;
  gone.gone_after = 2;
  int read = 0;
  queue_.before = [&](const std::string& call) { read += call == "read" ? 1 : 0; };
  run(answered(R"({"verb":"queue.show","content":true,"filter":[")" + id_of(row) + "\"]}",
               std::nullopt, gone));
  EXPECT_EQ(read, 2);  // once for the header, once for the piece that nobody took
}

TEST_F(AdminEndpointTest, SaysWhenTheContentIsDamaged) {
  auto& row = add();
  queue_.chunks[row.copy.message] = {"Subject: a\r\n\r\n", "body"};
  queue_.fails = {{"read", {3, ports::SpoolError::Corrupt}}};
  EXPECT_THAT(
      say("queue.show", {id_of(row)}, R"(,"content":true)"),
      EndsWith("{\"v\":1,\"error\":\"stored message is damaged\"}\n{\"v\":1,\"exit\":75}\n"));
}

TEST_F(AdminEndpointTest, SaysWhy) {
  auto& row = add();
  EXPECT_THAT(say("queue.why", {id_of(row)}), HasSubstr("\"history\":[]"));
  EXPECT_THAT(text_of(say("queue.why", {id_of(row)}, kText)),
              HasSubstr("then a DSN to the sender"));
  EXPECT_THAT(say("queue.why", {}), HasSubstr("\"exit\":2"));
}

TEST_F(AdminEndpointTest, PausesAndResumes) {
  EXPECT_THAT(say("queue.pause", {"mx:google.com"}, R"(,"for":"1h","reason":"down")"),
              AllOf(HasSubstr(R"("until":"2026-11-24T04:00:00.000Z")"), HasSubstr("\"exit\":0")));
  ASSERT_EQ(delivery_.pauses.size(), 1U);
  EXPECT_THAT(say("status", {}), HasSubstr(R"("pauses":[{"kind":"mx","value":"google.com")"));
  EXPECT_THAT(say("queue.resume", {"mx:google.com"}), HasSubstr("\"holds\":false"));
  EXPECT_TRUE(delivery_.pauses.empty());
  EXPECT_THAT(say("queue.resume", {"mx:google.com"}), HasSubstr("\"exit\":5"));
  EXPECT_THAT(say("queue.pause", {"mx:google.com"}), HasSubstr("\"exit\":2"));
  EXPECT_THAT(say("queue.pause", {"all"}, R"(,"reason":"x")"), HasSubstr("\"exit\":2"));
  EXPECT_THAT(say("queue.pause", {"mx:a.example"}, R"(,"reason":"x","for":"0s")"),
              HasSubstr("for: expected more than 0"));
}

/// Copies that ended without a DSN are counted in `status`.
TEST_F(AdminEndpointTest, StatusCountsHowCopiesEnded) {
  status_ = {.copies_delivered = 5, .copies_bounced = 3, .copies_suppressed = 2};
  EXPECT_THAT(say("status", {}),
              HasSubstr(R"("ended":{"delivered":5,"bounced":3,"suppressed":2})"));
  EXPECT_THAT(text_of(say("status", {}, kText)),
              HasSubstr("copies 5 delivered, 3 bounced, 2 failed with nobody to tell"));
}

TEST_F(AdminEndpointTest, StatusIsNegativeWhenTheStorageFails) {
  EXPECT_THAT(say("status", {}), HasSubstr("\"exit\":0"));
  queue_.fails = {{"totals", {1, ports::SpoolError::Unavailable}}};
  EXPECT_THAT(say("status", {}), AllOf(HasSubstr("\"queue_error\""), HasSubstr("\"exit\":1")));
  status_.spool_poisoned = true;
  EXPECT_THAT(say("status", {}), HasSubstr("\"exit\":1"));
  status_.spool_poisoned = false;
  status_.troubles = {{.of = "disk", .text = "full", .count = 1, .last = clock_.wall()}};
  EXPECT_THAT(say("status", {}), HasSubstr("\"exit\":1"));
}

TEST_F(AdminEndpointTest, ReportsARefusedReload) {
  reload_result_.problems = {"relay.toml:1:1: error"};
  EXPECT_THAT(ask(R"({"verb":"reload"})"),
              AllOf(HasSubstr("\"applied\":false"), HasSubstr("\"exit\":4")));
  EXPECT_THAT(ask(R"({"verb":"reload","format":"text"})"),
              HasSubstr(R"("error":"relay.toml:1:1: error\u000anot applied)"));
  reload_result_ = {.applied = true, .problems = {}, .needs_restart = {}};
  EXPECT_THAT(ask(R"({"verb":"reload"})", 1000), HasSubstr("\"exit\":0"));
  ASSERT_TRUE(reload_asked_by_);
  EXPECT_EQ(reload_asked_by_->uid, 1000U);
  EXPECT_EQ(text_of(ask(R"({"verb":"reload","format":"text"})")), "applied\n");
}

TEST_F(AdminEndpointTest, SaysWhatIsWrongWithARequest) {
  const std::pair<const char*, const char*> requests[] = {
      {"nonsense", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "has no verb"},
      {R"({"verb":"fly"})", "unknown verb fly"},
      {R"({"verb":7})", "expected a string"},
      {R"({"verb":"queue.list","fliter":["x"]})", "unknown field fliter"},
      {R"({"verb":"queue.list","filter":"x"})", "filter: expected a list of strings"},
      {R"({"verb":"queue.list","filter":["01JD7Z",7]})", "filter: expected a list of strings"},
      {R"({"verb":"queue.list","filter":["color:red"]})", "unknown filter word"},
      {R"({"verb":"queue.list","limit":0})", "limit: expected a number"},
      {R"({"verb":"queue.list","after":"01JD"})", "after: expected an id"},
      {R"({"verb":"queue.list","after":7})", "after: expected an id"},
      {R"({"verb":"queue.drop","dry_run":"yes"})", "dry_run: expected true or false"},
      {R"({"verb":"status","format":"xml"})", "format: expected"},
      {R"({"verb":"queue.drop","reason":7})", "reason: expected a string"},
      {R"({"verb":"queue.pause","for":7})", "for: expected a string"},
      {R"({"verb":"queue.pause","for":"9999d"})", "no more than a year"},
      {R"({"v":2,"verb":"status"})", "v: expected 1"},
  };
  for (const auto& [request, says] : requests) {
    EXPECT_THAT(ask(request), AllOf(HasSubstr(says), EndsWith("{\"v\":1,\"exit\":2}\n")))
        << request;
  }
}

TEST_F(AdminEndpointTest, CountsRequestsByVerb) {
  say("status", {});
  say("status", {});
  say("queue.fly", {});
  EXPECT_EQ(desk_.metrics().requests.at(Verb::Status).value(), 2U);
}

base::Task<bool> served(AdminEndpoint& endpoint, std::shared_ptr<fakes::Wire> wire) {
  co_await endpoint.serve(std::make_unique<fakes::ScriptedStream>(std::move(wire)));
  co_return true;
}

TEST_F(AdminEndpointTest, ServesOneRequestOfAConnection) {
  auto wire = std::make_shared<fakes::Wire>();
  wire->incoming = {R"({"verb":)", "\"queue.list\"}\n"};
  add();
  run(served(endpoint_, wire));
  EXPECT_THAT(wire->sent, EndsWith("{\"v\":1,\"exit\":0}\n"));
  EXPECT_TRUE(wire->closed);
}

TEST_F(AdminEndpointTest, StopsAnsweringAConnectionThatIsGone) {
  auto wire = std::make_shared<fakes::Wire>();
  wire->incoming = {"{\"verb\":\"queue.list\"}\n"};
  wire->write_fails = true;
  for (int i = 0; i < 3; ++i) add();
  queue_.looked_at = 1;
  int listed = 0;
  queue_.before = [&](const std::string&) { ++listed; };
  run(served(endpoint_, wire));
  EXPECT_EQ(listed, 1);
}

TEST_F(AdminEndpointTest, TakesNoEndlessRequest) {
  auto wire = std::make_shared<fakes::Wire>();
  for (int i = 0; i < 100; ++i) wire->incoming.emplace_back(4000, ' ');
  run(served(endpoint_, wire));
  EXPECT_EQ(wire->sent, "");
  EXPECT_FALSE(wire->incoming.empty());
}

}  // namespace
}  // namespace relay::ops
