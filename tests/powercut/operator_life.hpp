// The operator's verbs, and targets that consent, in the middle of the mail.
#pragma once

#include "tests/powercut/mail_life.hpp"

namespace relay::powercut {

class OperatorLife : public MailLife {
 public:
  using MailLife::MailLife;

 protected:
  base::Task<> hold_one();
  base::Task<> release_one();
  base::Task<> end_one();  ///< drops or bounces
  base::Task<> retry_all();
  base::Task<> consent_to_all();
  base::Task<> find_damaged();
  base::Task<> pause_or_resume();

 private:
  /// The one copy, whatever else is under way.
  base::Task<> change(mail::CopyId copy, ports::QueueAction action);

  std::vector<std::string> paused_;
};

}  // namespace relay::powercut
