// Mail that a gateway has accepted and that we would refuse is held, or leaves by the risk pool.
#include <gmock/gmock.h>

#include "relay/forward/strategy.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using mail::DmarcPolicy;
using testing::HasSubstr;

class LateRefusals : public testing::Test {
 protected:
  std::string way(const Evidence& evidence, LateRefusal late, OnDmarcFail on_fail = {}) const {
    const Choice choice = house::strategy(house::policy())
                              .choose(evidence, {.on_dmarc_fail = on_fail}, "target.example", late);
    if (choice.refusal) return std::to_string(choice.refusal->code);
    return std::string(name_of(choice.option)) + (choice.risk_pool ? " risk" : "") +
           (choice.hold ? " hold" : "");
  }
};

TEST_F(LateRefusals, AreHeldOrLeaveApart) {
  const Evidence spoof = house::spoof("author.example", DmarcPolicy::Reject);
  EXPECT_EQ(way(spoof, LateRefusal::Refuse), "550");
  EXPECT_EQ(way(spoof, LateRefusal::Hold), "srs risk hold");
  EXPECT_EQ(way(spoof, LateRefusal::Risk), "srs risk");
}

TEST_F(LateRefusals, ChangeNothingAboutWhatIsNotRefused) {
  for (const DmarcPolicy policy : {DmarcPolicy::None, DmarcPolicy::Quarantine}) {
    const Evidence doubtful = house::spoof("author.example", policy);
    EXPECT_EQ(way(doubtful, LateRefusal::Hold), way(doubtful, LateRefusal::Refuse));
  }
  EXPECT_EQ(way(house::evidence(), LateRefusal::Hold), "srs");
  Evidence later = house::spoof("author.example", DmarcPolicy::Reject);
  later.verdicts.dmarc.result = mail::DmarcResult::TempError;
  EXPECT_EQ(way(later, LateRefusal::Hold), "451") << "a gateway comes again";
  const Evidence spoof = house::spoof("author.example", DmarcPolicy::Reject);
  EXPECT_EQ(way(spoof, LateRefusal::Risk, OnDmarcFail::Hold), "srs risk hold")
      << "the operator's own word stands";
}

/// It must not leave under a name that could be taken for its author's, unless the operator, who
/// has looked at it, says so.
TEST_F(LateRefusals, AreHeldWhereNoNameIsLeft) {
  Evidence spoof = house::spoof("srs.relay.example", DmarcPolicy::Reject);
  spoof.sender = mail::ReversePath(house::mailbox("x@srs.relay.example"));
  EXPECT_EQ(way(spoof, LateRefusal::Refuse, OnDmarcFail::Forward), "550");
  EXPECT_EQ(way(spoof, LateRefusal::Hold), "keep risk hold");
  EXPECT_EQ(way(spoof, LateRefusal::Risk), "keep risk hold");
}

}  // namespace
}  // namespace relay::forward
