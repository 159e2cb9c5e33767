// What every queue promises about stored senders.
#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using ports::SpoolError;

class TokenContract : public QueueContract {
 protected:
  void store(const std::string& token, std::chrono::hours life) {
    auto made = message_to({"a@x.example"});
    made.tokens.push_back({.token = token,
                           .reverse_path = mail::ReversePath(mailbox("long@sender.example")),
                           .expires_at = clock_.wall() + life,
                           .client = "192.0.2.0/24"});
    add(std::move(made));
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
  open();
  EXPECT_TRUE(is_known("t0"));
}

INSTANTIATE_TEST_SUITE_P(Each, TokenContract, kBoth, name_of);

}  // namespace
}  // namespace relay::spool
