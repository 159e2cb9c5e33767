// Judges what the operator's verbs do to copies, and what they report.
#pragma once

#include <cstdint>
#include <vector>

#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/book.hpp"
#include "tests/simulation/verdicts.hpp"

namespace relay::simulation {

class VerbJudge {
 public:
  VerbJudge(Book& book, Verdicts& verdicts, SimClock& clock)
      : book_(book), verdicts_(verdicts), clock_(clock) {}

  /// The store has changed these copies. Until answered(), copies under way may still leave.
  void changed(ports::QueueAction action, const std::vector<mail::CopyId>& copies);

  /// The operator has been told that `under_way` of them may be taken all the same. Returns those
  /// that are due now because of the verb.
  std::vector<CopyName> answered(ports::QueueAction action, const std::vector<mail::CopyId>& copies,
                                 std::size_t under_way);

  /// These copies were changed by the verb with this number, of which answered() is to follow.
  void await_answer(unsigned verb, ports::QueueAction action, std::vector<mail::CopyId> copies);

  /// The operator has the answer to the whole verb. Copies not answered() by then never will be:
  /// the relay takes them to be where they cannot leave from.
  void over(unsigned verb);

  void process_died() { unanswered_.clear(); }

 private:
  struct Slice {
    unsigned verb = 0;
    ports::QueueAction action = ports::QueueAction::Retry;
    std::vector<mail::CopyId> copies;
  };

  CopyTruth* find(const mail::CopyId& id);
  void change(ports::QueueAction action, MessageTruth& message, CopyTruth& copy);
  void end_copy(MessageTruth& message, CopyTruth& copy, bool tell);

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  std::vector<Slice> unanswered_;
};

}  // namespace relay::simulation
