#include "relay/spool/tally.hpp"

namespace relay::spool {

Tally::Tally(Connection& connection)
    : select_(connection.raw(),
              "SELECT messages, octets, waiting, held, tokens, reports FROM tally"),
      update_(connection.raw(),
              "UPDATE tally SET messages = ?1, octets = ?2, waiting = ?3, held = ?4, tokens = ?5, "
              "reports = ?6") {
  const Use use(select_);
  if (!select_.step()) throw DatabaseError(SQLITE_CORRUPT, "the row with the sums is gone");
  stored_ = {.messages = select_.number(0),
             .octets = select_.number(1),
             .waiting = select_.number(2),
             .held = select_.number(3),
             .tokens = select_.number(4),
             .reports = select_.number(5)};
  now_ = stored_;
}

void Tally::message(std::int64_t messages, std::int64_t octets) {
  now_.messages += messages;
  now_.octets += octets;
}

void Tally::copies_in(mail::RecipientState state, std::int64_t copies) {
  if (state == mail::RecipientState::Waiting) now_.waiting += copies;
  if (state == mail::RecipientState::Held) now_.held += copies;
}

void Tally::before_commit() {
  if (now_ == stored_) return;
  update_.bind(1, now_.messages)
      .bind(2, now_.octets)
      .bind(3, now_.waiting)
      .bind(4, now_.held)
      .bind(5, now_.tokens)
      .bind(6, now_.reports);
  update_.run();
}

void Tally::committed(bool /*on_disk*/) { stored_ = now_; }

void Tally::rolled_back() { now_ = stored_; }

}  // namespace relay::spool
