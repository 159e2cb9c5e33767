#include "relay/ops/admin_endpoint.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "relay/ops/queue_text.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::ops {
namespace {

class LinesLog final : public base::Log {
 public:
  void write(base::Event event) override { lines.push_back(std::move(event).line()); }

  std::vector<std::string> lines;
};

class AdminEndpointTest : public testing::Test {
 protected:
  template <class T>
  T run(base::Task<T> task) {
    return dns::turn_loop(io_, std::move(task));
  }

  std::string ask(const std::string& request) { return run(endpoint_.answer(request + "\n")); }

  mail::MessageId add(unsigned char seed, const std::string& target, mail::Handling handling = {},
                      bool held = false, const std::string& awaits = {}) {
    ports::NewMessage message;
    message.message.id = mail::MessageId::make(clock_.wall(), {seed});
    message.message.received_at = clock_.wall();
    message.message.reverse_path = mail::ReversePath(*mail::Mailbox::parse("ann@sender.example"));
    message.routes.push_back({.index = 0,
                              .original = *mail::parse_forward_path("<info@fwd.example>"),
                              .target = *mail::Mailbox::parse(target),
                              .reverse_path = message.message.reverse_path,
                              .handling = std::move(handling),
                              .held = held,
                              .awaits = awaits});
    message.first_due = clock_.wall();
    const auto id = message.message.id;
    EXPECT_TRUE(run(spool_.commit(std::move(message))));
    return id;
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::MemorySpool spool_;
  LinesLog log_;
  int woken_ = 0;
  DaemonStatus status_;
  ReloadResult reload_result_;
  AdminEndpoint endpoint_{{.spool = spool_,
                           .clock = clock_,
                           .log = log_,
                           .status = [this] { return status_; },
                           .reload = [this] { return reload_result_; },
                           .wake_delivery = [this] { ++woken_; },
                           .pace =
                               [](const mail::MessageId&, const mail::Route&) {
                                 return std::optional(Pace{7, 10, std::chrono::seconds(10)});
                               }}};
};

TEST_F(AdminEndpointTest, ListsWhatMatches) {
  add(1, "a@x.example");
  add(2, "b@y.example");
  EXPECT_NE(ask(R"({"verb":"queue.list","filter":["to:x.example"]})").find("a@x.example"),
            std::string::npos);
  EXPECT_EQ(ask(R"({"verb":"queue.list","filter":["to:x.example"]})").find("b@y.example"),
            std::string::npos);
}

TEST_F(AdminEndpointTest, HoldsReleasesAndDrops) {
  const auto id = add(1, "a@x.example").to_string();
  const auto verb = [&](const std::string& name, const std::string& more = "") {
    return ask("{\"verb\":\"queue." + name + "\",\"filter\":[\"" + id + "\"]" + more + "}");
  };
  EXPECT_EQ(verb("hold"), "{\"v\":1,\"changed\":1}\n{\"v\":1,\"exit\":0}\n");
  EXPECT_NE(verb("show").find("\"state\":\"held\""), std::string::npos);
  EXPECT_NE(verb("hold").find("\"exit\":5"), std::string::npos);
  EXPECT_NE(verb("release").find("\"changed\":1"), std::string::npos);
  EXPECT_EQ(woken_, 3);  // each hold and the release, the vain one too
  EXPECT_NE(verb("drop").find("needs --reason"), std::string::npos);
  EXPECT_EQ(spool_.messages(), 1U);
  EXPECT_NE(verb("drop", ",\"reason\":\"spam\"").find("\"changed\":1"), std::string::npos);
  EXPECT_EQ(spool_.messages(), 0U);
  EXPECT_NE(log_.lines.back().find("\"reason\":\"spam\""), std::string::npos);
}

TEST_F(AdminEndpointTest, SaysHowEachCopyLeavesAndWhatItWaitsFor) {
  const auto id = add(1, "a@x.example",
                      {.seal = true,
                       .risk_pool = true,
                       .new_author = false,
                       .reason = "SRS + ARC – DMARC passed by SPF only\x1b"})
                      .to_string();
  const auto reply = ask("{\"verb\":\"queue.why\",\"filter\":[\"" + id + "\"]}");
  EXPECT_NE(reply.find(R"("handling":{"seal":true,"pool":"risk","new_author":false,)"),
            std::string::npos)
      << reply;
  EXPECT_NE(reply.find(R"("reason":"SRS + ARC – DMARC passed by SPF only)"), std::string::npos);
  EXPECT_NE(reply.find(R"("paced":{"before":7,"copies":10,"span_s":10})"), std::string::npos);
  const auto text =
      render_text("queue.why", {boost::json::parse(reply.substr(0, reply.find('\n'))).as_object()});
  EXPECT_NE(text.find("\n    how    SRS + ARC – DMARC passed by SPF only?  (sealed, risk pool)\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("10 copies in 10 s to this destination, 7 before it"), std::string::npos);
}

TEST_F(AdminEndpointTest, ShowsWhoseConsentACopyWaitsFor) {  // A-6
  const auto id = add(1, "Me@x.example", {.reason = "held: why"}, true, "me@x.example").to_string();
  const auto why = ask("{\"verb\":\"queue.why\",\"filter\":[\"" + id + "\"]}");
  EXPECT_NE(why.find(R"("awaits_consent":"me@x.example")"), std::string::npos);
  const auto text =
      render_text("queue.why", {boost::json::parse(why.substr(0, why.find('\n'))).as_object()});
  EXPECT_NE(text.find("waits until the target is confirmed: me@x.example"), std::string::npos)
      << text;
  EXPECT_NE(text.find("held: why"), std::string::npos) << text;
}

TEST_F(AdminEndpointTest, ShowsThatACopyIsHeld) {
  const auto id = add(1, "a@x.example", {}, true).to_string();
  const auto listed = ask(R"({"verb":"queue.list","filter":["state:held"]})");
  EXPECT_NE(listed.find(id), std::string::npos);
  EXPECT_NE(listed.find(R"("held_on_entry":true)"), std::string::npos);
  const auto shown = ask("{\"verb\":\"queue.show\",\"filter\":[\"" + id + "\"]}");
  const auto text = render_text(
      "queue.show", {boost::json::parse(shown.substr(0, shown.find('\n'))).as_object()});
  EXPECT_NE(text.find("never expires"), std::string::npos) << text;
  ask("{\"verb\":\"queue.release\",\"filter\":[\"" + id + "\"]}");
  EXPECT_NE(ask("{\"verb\":\"queue.show\",\"filter\":[\"" + id + "\"]}").find("\"released\":"),
            std::string::npos);
}

/// Nothing is dropped in silence: what ended without a DSN is counted where everybody looks.
TEST_F(AdminEndpointTest, StatusCountsHowCopiesEnded) {
  status_ = {.copies_delivered = 5, .copies_bounced = 3, .copies_suppressed = 2};
  const auto reply = ask(R"({"verb":"status"})");
  EXPECT_NE(reply.find(R"("ended":{"delivered":5,"bounced":3,"suppressed":2})"), std::string::npos);
  const auto text =
      render_text("status", {boost::json::parse(reply.substr(0, reply.find('\n'))).as_object()});
  EXPECT_NE(text.find("copies 5 delivered, 3 bounced, 2 failed with nobody to tell"),
            std::string::npos)
      << text;
}

/// A-7: the second number stays 0, or an operator sees it.
TEST_F(AdminEndpointTest, StatusCountsTheSignaturesThatWereChecked) {
  status_ = {.self_checks = 7, .self_check_failures = 1};
  const auto reply = ask(R"({"verb":"status"})");
  EXPECT_NE(reply.find(R"("self_checks":7,"self_check_failures":1)"), std::string::npos);
  const auto text =
      render_text("status", {boost::json::parse(reply.substr(0, reply.find('\n'))).as_object()});
  EXPECT_NE(text.find("signatures of 7 messages verified before they left, 1 did not hold"),
            std::string::npos)
      << text;
}

TEST_F(AdminEndpointTest, TellsWhoWasNotWelcome) {
  status_ = {.clients_listed = 1,
             .dns_list_failures = 2,
             .greylisted = 3,
             .greylist_passed = 4,
             .over_rate = 5};
  EXPECT_NE(ask(R"({"verb":"status"})")
                .find(R"("abuse":{"listed":1,"list_failures":2,"greylisted":3,)"
                      R"("greylist_passed":4,"over_rate":5})"),
            std::string::npos);
}

TEST_F(AdminEndpointTest, ChangesNothingOnADryRunOrWithoutAFilter) {
  add(1, "a@x.example");
  ask(R"({"verb":"queue.drop","filter":["all"],"reason":"x","dry_run":true})");
  EXPECT_NE(ask(R"({"verb":"queue.drop","filter":[],"reason":"x"})").find("\"exit\":2"),
            std::string::npos);
  EXPECT_EQ(spool_.messages(), 1U);
}

TEST_F(AdminEndpointTest, SaysWhatIsWrongWithARequest) {
  EXPECT_NE(ask("nonsense").find("\"exit\":2"), std::string::npos);
  EXPECT_NE(ask("[]").find("\"exit\":2"), std::string::npos);
  EXPECT_NE(ask(R"({"verb":"fly"})").find("unknown verb"), std::string::npos);
  EXPECT_NE(ask(R"({"verb":"queue.list","filter":["color:red"]})").find("unknown filter word"),
            std::string::npos);
  EXPECT_NE(ask(R"({"verb":"queue.why","filter":["01JD"]})").find("\"exit\":5"), std::string::npos);
}

TEST_F(AdminEndpointTest, ReportsARefusedReload) {
  reload_result_.problems = {"relay.toml:1:1: error"};
  EXPECT_NE(ask(R"({"verb":"reload"})").find("\"exit\":4"), std::string::npos);
  reload_result_ = {.applied = true, .problems = {}, .needs_restart = {}};
  EXPECT_NE(ask(R"({"verb":"reload"})").find("\"exit\":0"), std::string::npos);
}

}  // namespace
}  // namespace relay::ops
