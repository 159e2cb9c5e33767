// Judges what is recorded of attempts, against what the servers did and said.
#pragma once

#include <string>

#include "relay/ports/delivery_queue.hpp"
#include "tests/simulation/host_judge.hpp"
#include "tests/simulation/traffic_judge.hpp"

namespace relay::simulation {

class OutcomeJudge {
 public:
  OutcomeJudge(Book& book, Verdicts& verdicts, SimClock& clock, TrafficJudge& traffic)
      : book_(book),
        verdicts_(verdicts),
        clock_(clock),
        traffic_(traffic),
        hosts_(book, verdicts, clock) {}

  /// The store has applied this, and answered so.
  void recorded(const ports::Update& update, const ports::RecordAnswer& answer);

  /// The wall clock was moved, so ages by it are wrong. `seen`: the present run can notice that.
  void wall_jumped(bool seen) {
    ages_unknown_ = ages_unknown_ || !seen;
    wall_jumped_ = true;
  }

  /// The next run knows nothing of an earlier jump.
  void process_died() { ages_unknown_ = ages_unknown_ || wall_jumped_; }

  /// The store could not read a piece of content: the attempt it was for ends there.
  void content_unreadable() { hosts_.content_unreadable(); }

 private:
  using State = CopyTruth::State;

  void record(MessageTruth& message, CopyTruth& copy, const ports::CopyUpdate& update,
              ports::Recorded how);
  void end_copy(CopyTruth& copy, const ports::CopyUpdate& update);
  void put_off(CopyTruth& copy, const ports::CopyUpdate& update);
  void check_delivered(const CopyTruth& copy, const mail::DeliveryAttempt& last);
  void check_refused(const CopyTruth& copy, const ports::CopyUpdate& update);
  bool nobody_takes_mail(const CopyTruth& copy, const ports::CopyUpdate& update) const;
  void check_expired(const CopyTruth& copy);
  void check_reply(const CopyTruth& copy, const mail::DeliveryAttempt& attempt);
  void check_fallback(const CopyTruth& copy, const mail::DeliveryAttempt& attempt);
  void check_notice(MessageTruth& message, const CopyTruth& copy, const ports::CopyUpdate& update);

  /// Null when the reply was said to somebody else. `attempt` repeats it.
  const SaidTruth* reply_to(const CopyTruth& copy, const mail::DeliveryAttempt& attempt) const;
  bool concerns(const SaidTruth& said, const CopyTruth& copy) const;

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  TrafficJudge& traffic_;
  HostJudge hosts_;
  bool wall_jumped_ = false;
  bool ages_unknown_ = false;  ///< some copies seem older than they are, and nobody can know it
};

}  // namespace relay::simulation
