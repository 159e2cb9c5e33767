// Contract of every queue: stored senders.
#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using ports::SpoolError;

class TokenContract : public QueueContract {
 protected:
  mail::SenderToken token(const std::string& name, const std::string& counted_under,
                          std::chrono::hours life = 1h) const {
    return {.token = name,
            .reverse_path = mail::ReversePath(mailbox("long@sender.example")),
            .lives_for = life,
            .counted_under = counted_under,
            .most = 3};
  }

  void store(mail::SenderToken token) {
    auto made = message_to({"a@x.example"});
    made.tokens.push_back(std::move(token));
    add(std::move(made));
  }

  void store(const std::string& name, std::chrono::hours life) {
    store(token(name, "192.0.2.0/24", life));
  }

  bool has_room(const std::string& name, const std::string& counted_under) {
    return run(tokens().has_room(token(name, counted_under))).value();
  }

  bool is_known(const std::string& token) {
    const auto found = run(tokens().find(token));
    if (!found) EXPECT_EQ(found.error(), SpoolError::NotFound);
    return found.has_value();
  }
};

TEST_P(TokenContract, FindsTheSenderBehindATokenUntilItExpires) {
  store("t0", 2h);
  EXPECT_EQ(run(tokens().find("t0"))->to_string(), "long@sender.example");
  EXPECT_FALSE(is_known("t1"));
  clock_.advance(2h);
  EXPECT_TRUE(is_known("t0"));
  clock_.advance(1ms);
  EXPECT_FALSE(is_known("t0"));
}

TEST_P(TokenContract, KeepsATokenAsLongAsItsLastMessageNeedsIt) {
  store("t0", 2h);
  store("t0", 5h);
  store("t0", 1h);
  clock_.advance(4h);
  EXPECT_TRUE(is_known("t0"));
}

TEST_P(TokenContract, OutlivesTheMessageAndTheProcess) {
  store("t0", 2h);
  change({}, ports::QueueAction::Drop);
  restart();
  EXPECT_TRUE(is_known("t0"));
}

TEST_P(TokenContract, CountsWhatIsStoredUnderEachQuota) {
  for (const std::string name : {"t0", "t1"}) store(token(name, "domain sender.example"));
  EXPECT_TRUE(has_room("t2", "domain sender.example"));
  store(token("t2", "domain sender.example", 9h));
  EXPECT_FALSE(has_room("t3", "domain sender.example"));
  EXPECT_TRUE(has_room("t1", "domain sender.example")) << "it is there";
  EXPECT_TRUE(has_room("t3", "domain other.example"));
  store(token("t1", "domain other.example"));  // counts where it was first
  restart();
  EXPECT_FALSE(has_room("t3", "domain sender.example"));
}

/// A customer with an IPv6 /48 has 65,536 networks, and twice the quota of one.
TEST_P(TokenContract, CountsForTheWiderNetworkAsWell) {
  const auto of = [this](int network) {
    const std::string number = std::to_string(network);
    auto made = token("t" + number, "2001:db8:1:" + number + "::/64");
    made.counted_wider = "2001:db8:1::/48";
    return made;
  };
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(run(tokens().has_room(of(i))).value()) << i;
    store(of(i));
  }
  EXPECT_FALSE(run(tokens().has_room(of(6))).value());
  EXPECT_TRUE(run(tokens().has_room(of(5))).value()) << "it is stored already";
  EXPECT_TRUE(has_room("t7", "2001:db8:2::/64"));
}

INSTANTIATE_TEST_SUITE_P(Each, TokenContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
