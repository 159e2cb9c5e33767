#include "tests/simulation/server_session.hpp"

#include <utility>

namespace relay::simulation {

using ports::IoError;
using std::chrono::milliseconds;

ServerSession::ServerSession(Host& host, Link& link, std::uint32_t connection)
    : host_(host), link_(link), common_(host.common()), connection_(connection) {
  host_.joined(*this);
  heard_at_ = common_.clock.steady();
  watch_idle();
}

ServerSession::~ServerSession() {
  host_.left(*this);
  common_.clock.cancel(idle_event_);
}

void ServerSession::hang_up(IoError error) {
  link_.hang_up(error, host_.mood.round_trip / 2);
  phase_ = Phase::Over;
}

void ServerSession::client_left(const Farewell& farewell) {
  host_.left(*this);
  common_.clock.cancel(std::exchange(idle_event_, 0));
  phase_ = Phase::Over;
  common_.witness.closed({.connection = connection_,
                          .died = farewell.died,
                          .awaiting = farewell.awaiting,
                          .step = farewell.step,
                          .waited = farewell.waited});
}

void ServerSession::greet(bool one_too_many) {
  if (one_too_many) {
    const Limit& limit = host_.mood.connections;
    const Habit closes{.what = Does::Closes421, .status = limit.status};
    give(Step::Banner, {421, limit.status, "too many connections"}, closes);
    return;
  }
  give(Step::Banner, {220, "", "ready"}, host_.habit_at(Step::Banner));
}

milliseconds ServerSession::thinking_time() {
  const auto trip = host_.mood.round_trip.count();
  return milliseconds(trip + host_.random().between(0, trip / 2));
}

void ServerSession::say(Step step, const Answer& answer, const std::optional<Habit>& habit,
                        std::string_view recipient) {
  const bool told = answer.code >= 400 || step == Step::Dot;
  const std::uint32_t number = told ? ++common_.replies : 0;
  const milliseconds delay = thinking_time() + (habit ? habit->span : milliseconds{0});
  const Does manner = habit ? habit->what : Does::Replies;
  std::string text = text_of(answer, number, shows_status(manner), manner);
  if (step == Step::Ehlo && answer.code == 250) text = extensions(host_, encrypted_);
  link_.say(std::move(text), step, delay, manner == Does::Drips);
  common_.witness.said({.number = number,
                        .connection = connection_,
                        .transaction = transaction_,
                        .step = step,
                        .code = answer.code,
                        .status = shows_status(manner) ? answer.status : std::string_view(),
                        .recipient = recipient,
                        .accepted = static_cast<unsigned>(recipients_.size()),
                        .delay = delay});
}

int ServerSession::give(Step step, Answer answer, const std::optional<Habit>& habit,
                        std::string_view recipient) {
  bool closes = false;
  if (habit) {
    switch (habit->what) {
      case Does::Replies:
      case Does::RepliesAndCloses:
        if (habit->code > 0) answer = {habit->code, habit->status, "says the mood"};
        closes = habit->what == Does::RepliesAndCloses;
        break;
      case Does::Closes421:
        answer = {421, habit->status, "closing"};
        closes = true;
        break;
      case Does::Closes:
        hang_up(IoError::Closed);
        return 0;
      case Does::Resets:
      case Does::TakesAndResets:
        hang_up(IoError::Reset);
        return 0;
      case Does::StaysSilent:
        link_.keep_silent(step);
        common_.witness.fell_silent(connection_);
        silent_ = true;
        phase_ = Phase::Over;
        return 0;
      default:
        break;
    }
  }
  if (answer.code >= 400 && answer.code != 421) ++refusals_;
  if (answer.code >= 400 && host_.mood.errors > 0 && refusals_ > host_.mood.errors) {
    answer = {421, "4.7.0", "too many errors"};
  }
  say(step, answer, habit, recipient);
  if (closes || answer.code == 421) hang_up(IoError::Closed);
  return answer.code;
}

void ServerSession::breach(Step step, Breach breach, std::string_view line, int code) {
  common_.witness.breached(connection_, breach, line);
  give(step, {code, "5.5.1", "out of turn"}, std::nullopt);
}

void ServerSession::receive(std::string_view octets) {
  heard_at_ = common_.clock.steady();
  if (phase_ == Phase::Handshake) {
    return common_.witness.breached(connection_, Breach::ClearTextAfterStartTls, octets);
  }
  if (silent_) return common_.witness.breached(connection_, Breach::BeforeReply, octets);
  if (phase_ == Phase::Content && breaks_content_) return hang_up(IoError::Reset);
  pending_ += octets;
  std::size_t begin = 0;
  while (!silent_ && !link_.hung_up() && phase_ != Phase::Handshake) {
    const std::size_t end = pending_.find('\n', begin);
    if (end == std::string::npos) break;
    std::string_view line(pending_.data() + begin, end - begin);
    begin = end + 1;
    if (!line.ends_with('\r')) {
      common_.witness.breached(connection_, Breach::BareLineFeed, line);
    } else {
      line.remove_suffix(1);
    }
    if (phase_ != Phase::Content) {
      on_line(line);
      continue;
    }
    if (link_.unread_reply() == Step::Data) {  // 354: what if it were another?
      common_.witness.breached(connection_, Breach::BeforeReply, line);
    }
    if (content_.take(line)) on_dot();
  }
  pending_.erase(0, begin);
  if (phase_ == Phase::Handshake && !pending_.empty()) {
    common_.witness.breached(connection_, Breach::ClearTextAfterStartTls, pending_);
    pending_.clear();
  }
}

HandshakePlan ServerSession::shake_hands() {
  const auto habit = host_.habit_at(Step::Handshake);
  HandshakePlan plan{host_.mood.tls, host_.mood.certificate, host_.mood.round_trip * 2};
  if (habit && habit->what == Does::StaysSilent) plan.outcome = Tls::StaysSilent;
  if (habit && habit->what == Does::Resets) plan.outcome = Tls::FailsEarly;
  if (habit && habit->what == Does::Closes) plan.outcome = Tls::ClosesLate;
  if (habit && habit->what == Does::IsSlow) plan.takes += habit->span;
  if (plan.outcome == Tls::StaysSilent || plan.takes > std::chrono::seconds{1}) {
    common_.witness.fell_silent(connection_);
  }
  return plan;
}

void ServerSession::shaken(bool succeeded) {
  common_.witness.handshake(connection_, succeeded);
  if (!succeeded) return;
  phase_ = Phase::NoHello;
  encrypted_ = true;
  ehlo_ = false;
  pipelining_ = false;
  forget_transaction();
}

void ServerSession::watch_idle() {
  if (host_.mood.idle == milliseconds{0}) return;
  idle_event_ = common_.clock.at(heard_at_ + host_.mood.idle, [this] {
    idle_event_ = 0;
    if (phase_ == Phase::Over) return;
    const bool idle = common_.clock.steady() - heard_at_ >= host_.mood.idle;
    if (!idle || link_.unread_reply() || phase_ == Phase::Handshake) {
      if (idle) heard_at_ = common_.clock.steady();
      return watch_idle();
    }
    if (host_.mood.idle_says_421) say(Step::Other, {421, "4.4.2", "idle"}, std::nullopt, {});
    hang_up(IoError::Closed);
  });
}

}  // namespace relay::simulation
