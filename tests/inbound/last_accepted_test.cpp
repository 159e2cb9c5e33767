// Which messages are remembered when it is not known that their 250 has arrived.
#include "relay/inbound/last_accepted.hpp"

#include "tests/inbound/connected.hpp"
#include "tests/inbound/recording_queue.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;

class LastAcceptedTest : public Connected {
 protected:
  /// A message with a Message-ID is remembered from its commit on, another one is not.
  Unheard accepted(const ResendKey& key, bool has_message_id) {
    ports::NewMessage message;
    message.message.id = mail::MessageId::make(clock.wall(), {1});
    const auto proof = support::run_task(io, queue_.commit(std::move(message)));
    if (has_message_id) resends_.remember(key, *proof, clock.steady());
    return {.key = key, .proof = *proof, .remembered = has_message_id};
  }

  bool is_remembered(const ResendKey& key) {
    return resends_.find(key, clock.steady()).has_value();
  }

  /// The connection has ended, and three seconds pass.
  void settle() { run_for(3s, last_.settle(connection, clock)); }

  RecordingQueue queue_;
  ResendGuard resends_;
  LastAccepted last_{resends_};
};

TEST_F(LastAcceptedTest, IsForgottenWhenTheClientHasAcknowledgedIts250) {
  last_.note(accepted("first", true));
  last_.note_heard(connection);
  EXPECT_FALSE(is_remembered("first"));
  last_.note(accepted("second", true));
  EXPECT_TRUE(is_remembered("second")) << "each message is proven by itself";
  last_.note_heard(connection);
  EXPECT_FALSE(is_remembered("second"));
}

/// A client that sends QUIT together with the dot has read nothing yet.
TEST_F(LastAcceptedTest, IsKeptWhenTheNextCommandComesBeforeTheAcknowledgement) {
  last_.note(accepted("first", true));
  wire->unacknowledged = 40;
  last_.note_heard(connection);
  EXPECT_TRUE(is_remembered("first"));
  wire->unacknowledged = 0;
  last_.note_heard(connection);
  EXPECT_TRUE(is_remembered("first")) << "what was acknowledged since may be another reply";
}

TEST_F(LastAcceptedTest, IsKeptWhenTheClientPipelinesAnotherMessage) {
  last_.note(accepted("first", true));
  last_.leave_unproven();
  last_.note(accepted("second", true));
  last_.note_heard(connection);
  EXPECT_TRUE(is_remembered("first"));
  EXPECT_FALSE(is_remembered("second"));
}

TEST_F(LastAcceptedTest, IsNotTheOneBeforeARefusedOne) {
  last_.note(accepted("first", false));
  last_.note(std::nullopt);
  wire->unacknowledged = 40;
  settle();
  EXPECT_FALSE(is_remembered("first"));
}

/// Equal messages without Message-ID may be meant, so such a message is remembered only if its 250
/// cannot have arrived.
TEST_F(LastAcceptedTest, WithoutMessageIdIsRememberedOnlyIfThe250IsNotAcknowledgedInTheEnd) {
  for (const bool arrives : {true, false}) {
    last_.note(accepted("alarm", false));
    wire->unacknowledged = arrives ? 0 : 40;
    settle();
    EXPECT_EQ(is_remembered("alarm"), !arrives);
  }
}

TEST_F(LastAcceptedTest, WaitsForAnAcknowledgementThatIsLate) {
  last_.note(accepted("alarm", false));
  wire->unacknowledged = 40;
  run_for(1s, last_.settle(connection, clock));
  wire->unacknowledged = 0;
  clock.run_for(io, 2s);
  EXPECT_FALSE(is_remembered("alarm"));
}

TEST_F(LastAcceptedTest, WithMessageIdNeedsNoWaitAtTheEnd) {
  last_.note(accepted("first", true));
  wire->unacknowledged = 40;
  run_for(0s, last_.settle(connection, clock));
  EXPECT_EQ(clock.sleepers(), 0U);
  EXPECT_TRUE(is_remembered("first"));
}

TEST_F(LastAcceptedTest, IsRememberedAtOnceWhenNobodyCanBeAsked) {
  last_.remember(clock.steady());
  last_.note(accepted("alarm", false));
  last_.remember(clock.steady());
  EXPECT_TRUE(is_remembered("alarm"));
  EXPECT_EQ(resends_.size(), 1U);
}

}  // namespace
}  // namespace relay::inbound
