// Who the client of a session is, one name after the other, and what its place counts for.
#include "relay/inbound/client_admission.hpp"

#include <gmock/gmock.h>

#include "relay/inbound/waste_guard.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/inbound/connected.hpp"
#include "tests/inbound/recording_queue.hpp"
#include "tests/support/ip.hpp"
#include "tests/support/logs.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using base::origin_of;
using testing::HasSubstr;

constexpr const char* kPeer = "10.0.0.1";
constexpr const char* kListed = "203.0.113.9";
constexpr const char* kOther = "203.0.113.10";

Limits one_each() {
  Limits limits;
  limits.connections_per_client = 1;
  return limits;
}

/// The peer is a gateway. Lists are asked when a client comes; kListed is on one.
Policy with_gateway() {
  Policy policy;
  policy.arrival.gateways = {{.from = {*base::Network::parse("10.0.0.0/24")}}};
  auto lists = std::make_shared<DnsListPolicy>();
  lists->lists = {{.zone = "bl.example", .weight = 10}};
  lists->refuse_at = 10;
  lists->at = DnsListStage::Connect;
  policy.abuse.dns_lists = lists;
  return policy;
}

class ClientAdmissionTest : public Connected {
 protected:
  ClientAdmissionTest() : Connected(kPeer, one_each()) { use(with_gateway()); }

  /// A session that begins under this policy.
  void use(Policy policy) {
    of_session_ = std::make_shared<const Policy>(std::move(policy));
    policy_.publish(of_session_);
    admission_.emplace(
        parts_, *of_session_, limits, place,
        client_at(support::ip(kPeer), 99, KnownBy::Connection, of_session_->arrival));
  }

  /// A reload.
  void reload(Policy policy) { policy_.publish(std::make_shared<const Policy>(std::move(policy))); }

  /// XCLIENT; the code of the reply that refuses it, or 0.
  int name(const char* client) {
    const auto taken =
        admission_->take_name({.by = smtp::NamedBy::Xclient, .attributes = {.address = client}});
    return taken ? 0 : taken.error().code();
  }

  std::string client() const { return admission_->client().of_session().named.address; }

  int told(base::Task<ClientAdmission::Objection> task) {
    const auto objection = support::run_task(io, std::move(task));
    if (objection) text_ = objection->text();
    return objection ? objection->code() : 0;
  }

  int objection_to_named() { return told(admission_->objection_to_named(connection)); }

  int objection_to_arrival() { return told(admission_->objection_to_arrival(connection)); }

  /// Whether that client has no connection.
  bool has_room_for(const char* client) {
    return gate.enter(origin_of(client), limits).has_value();
  }

  fakes::FakeResolver resolver_{clock, "9.113.0.203.bl.example A 127.0.0.2\n"};
  RecordingGreylist greylist_{clock};
  support::RecordingLog log_;
  AbuseControl abuse_{resolver_, greylist_, clock, log_};
  WasteGuard waste_;
  Entrance entrance_{gate, waste_, clock};
  base::Published<Policy> policy_{std::make_shared<const Policy>()};
  ClientAdmission::Parts parts_{.policy = policy_, .entrance = entrance_, .abuse = abuse_};
  std::shared_ptr<const Policy> of_session_;
  std::optional<ClientAdmission> admission_;
  std::string text_;  ///< of the last objection
};

TEST_F(ClientAdmissionTest, TheNewestPolicySaysWhoIsAGateway) {
  EXPECT_TRUE(admission_->may_name());
  EXPECT_EQ(name(kOther), 0);
  EXPECT_EQ(client(), kOther);
  reload(Policy());
  EXPECT_FALSE(admission_->may_name());
  EXPECT_EQ(name(kListed), 550);
  EXPECT_EQ(client(), kOther) << "the name that it gave before stays";
  reload(with_gateway());
  EXPECT_EQ(name("203.0.113.11"), 0);
  EXPECT_EQ(client(), "203.0.113.11");
}

TEST_F(ClientAdmissionTest, ThePlaceGoesFromOneNamedClientToTheNext) {
  EXPECT_EQ(name(kOther), 0);
  EXPECT_EQ(objection_to_named(), 0);
  EXPECT_FALSE(has_room_for(kOther));
  EXPECT_EQ(name("203.0.113.11"), 0);
  EXPECT_EQ(objection_to_named(), 0);
  EXPECT_TRUE(has_room_for(kOther));
  EXPECT_FALSE(has_room_for("203.0.113.11"));
  EXPECT_FALSE(admission_->forget_names());
  EXPECT_EQ(client(), kPeer);
  EXPECT_TRUE(has_room_for("203.0.113.11")) << "STARTTLS gives it back";
}

TEST_F(ClientAdmissionTest, ANamedClientThatHasItsConnectionsIsRefused) {
  const auto other = gate.enter(origin_of(kOther), limits);
  EXPECT_EQ(name(kOther), 0);
  EXPECT_EQ(objection_to_named(), 421);
  EXPECT_EQ(gate.inside(), 2U) << "the ticket is the one from before";
}

/// Behind a proxy, the client itself may speak after the first MAIL.
TEST_F(ClientAdmissionTest, AfterMailOfANamedClientNobodyElseIsNamed) {
  admission_->client().begin_transaction();
  EXPECT_TRUE(admission_->may_name()) << "the gateway has named nobody yet";
  EXPECT_EQ(name(kOther), 0);
  admission_->client().begin_transaction();
  EXPECT_FALSE(admission_->may_name());
  EXPECT_EQ(name("203.0.113.11"), 421);
  EXPECT_EQ(client(), kOther);
}

TEST_F(ClientAdmissionTest, AListedClientIsRefusedUnlessTheGatewayHasItsMailAlready) {
  EXPECT_EQ(objection_to_arrival(), 0) << "a gateway is not asked for";
  EXPECT_EQ(name(kListed), 0);
  EXPECT_EQ(objection_to_named(), 554);
  EXPECT_EQ(name(kOther), 0);
  EXPECT_EQ(objection_to_named(), 0);
  Policy holds = with_gateway();
  holds.arrival.gateways.front().refusals = forward::LateRefusal::Hold;
  reload(holds);
  EXPECT_EQ(name(kListed), 0);
  EXPECT_EQ(objection_to_named(), 0);
}

TEST_F(ClientAdmissionTest, ABalancerNamesTheClientBeforeAnythingElse) {
  Policy policy = with_gateway();
  policy.arrival.gateways.clear();
  use(policy);
  wire->incoming = {"PROXY TCP4 203.0.113.9 10.0.0.9 40001 25\r\n"};
  EXPECT_EQ(told(admission_->hear_balancer(connection)), 0);
  EXPECT_EQ(client(), kListed);
  EXPECT_FALSE(has_room_for(kListed));
  EXPECT_FALSE(admission_->may_name()) << "it is a client with all rights, and no gateway";
  EXPECT_EQ(objection_to_arrival(), 554);
}

TEST_F(ClientAdmissionTest, AClientBehindABalancerWaitsForTheBannerToo) {
  wire->incoming = {"PROXY TCP4 203.0.113.10 10.0.0.9 40001 25\r\nEHLO hasty.example\r\n"};
  EXPECT_EQ(told(admission_->hear_balancer(connection)), 0);
  EXPECT_EQ(objection_to_arrival(), 421);
  EXPECT_THAT(text_, HasSubstr("Wait for the banner"));
}

TEST_F(ClientAdmissionTest, WhoSendsAHeaderUnaskedHearsThatItIsNotForHim) {
  wire->incoming = {"PROXY TCP4 203.0.113.10 10.0.0.9 40001 25\r\n"};
  wire->unread = true;
  EXPECT_EQ(objection_to_arrival(), 421);
  EXPECT_THAT(text_, HasSubstr("No PROXY protocol for 10.0.0.1"));
}

}  // namespace
}  // namespace relay::inbound
