// The sums that `status` shows and limits use, updated with each change, because counting a million
// rows would block the writer (guarantee "The cost of a call does not grow with the queue"). Kept
// in memory and written once per transaction.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/mail/message.hpp"
#include "relay/spool/transactions.hpp"

namespace relay::spool {

class Tally final : public Participant {
 public:
  struct Sums {
    std::int64_t messages = 0;
    std::int64_t octets = 0;   ///< of content
    std::int64_t waiting = 0;  ///< copies
    std::int64_t held = 0;
    std::int64_t tokens = 0;
    std::int64_t reports = 0;  ///< messages with notices

    friend bool operator==(const Sums&, const Sums&) = default;
  };

  explicit Tally(Connection& connection);

  const Sums& now() const { return now_; }

  void message_in(std::int64_t octets) { message(1, octets); }

  void message_out(std::int64_t octets) { message(-1, -octets); }

  void copies_in(mail::RecipientState state, std::int64_t copies = 1);

  void copies_out(mail::RecipientState state, std::int64_t copies = 1) {
    copies_in(state, -copies);
  }

  void tokens(std::int64_t more) { now_.tokens += more; }

  void reports(std::int64_t more) { now_.reports += more; }

  void before_commit() override;
  void committed(bool on_disk) override;
  void rolled_back() override;

 private:
  void message(std::int64_t messages, std::int64_t octets);

  Statement select_, update_;
  Sums stored_;  ///< as of the last commit
  Sums now_;
};

}  // namespace relay::spool
