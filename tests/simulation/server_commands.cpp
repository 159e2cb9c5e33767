// How a server handles each command.
#include "relay/base/text.hpp"
#include "tests/simulation/server_session.hpp"

namespace relay::simulation {

namespace {

constexpr std::size_t kMaxCommandOctets = 512;         // RFC 5321 §4.5.3.1.4
constexpr std::size_t kMaxMailOctets = 512 + 26 + 17;  // SIZE and BODY allow for more

}  // namespace

/// Whether replies to commands of the envelope are unread, so that the client could not know them.
bool ServerSession::in_group() const {
  const auto unread = link_.unread_reply();
  return unread == Step::Mail || unread == Step::Rcpt || unread == Step::Reset;
}

bool ServerSession::spoke_too_early(std::string_view line) {
  const auto unread = link_.unread_reply();
  if (!unread) return false;
  if (*unread == Step::Banner) {
    common_.witness.breached(connection_, Breach::BeforeBanner, line);
    return true;
  }
  // RFC 2920 §3.1: what may stand before another command in a group.
  const bool goes_on = in_group() || *unread == Step::Dot;
  if (pipelining_ && goes_on) return false;
  common_.witness.breached(connection_, Breach::BeforeReply, line);
  return true;
}

void ServerSession::on_line(std::string_view line) {
  if (phase_ == Phase::Over) {
    return common_.witness.breached(connection_, Breach::AfterQuit, line);
  }
  const std::size_t most =
      base::starts_with_ignoring_case(line, "MAIL") ? kMaxMailOctets : kMaxCommandOctets;
  if (line.size() + 2 > most) return breach(Step::Other, Breach::LineTooLong, line, 500);
  spoke_too_early(line);
  if (base::starts_with_ignoring_case(line, "EHLO ") ||
      base::starts_with_ignoring_case(line, "HELO "))
    return on_hello(line.substr(0, 4));
  if (line == "STARTTLS") return on_start_tls(line);
  if (base::starts_with_ignoring_case(line, "MAIL FROM:<")) return on_mail(line);
  if (base::starts_with_ignoring_case(line, "RCPT TO:<")) return on_rcpt(line);
  if (line == "DATA") return on_data(line);
  if (line == "RSET") return on_reset();
  if (line == "QUIT") return on_quit();
  if (base::starts_with_ignoring_case(line, "NOOP")) {
    give(Step::Other, {}, std::nullopt);
    return;
  }
  breach(Step::Other, Breach::UnknownCommand, line, 500);
}

void ServerSession::on_hello(std::string_view verb) {
  const bool ehlo = base::starts_with_ignoring_case(verb, "EHLO");
  if (ehlo && !host_.mood.understands_ehlo) {
    give(Step::Ehlo, {502, "5.5.1", "not implemented"}, std::nullopt);
    return;
  }
  const int code = give(Step::Ehlo, {250, "", "hello"}, host_.habit_at(Step::Ehlo));
  if (code != 250) return;
  // Said with the reply, and so for the commands behind it.
  ehlo_ = ehlo;
  pipelining_ = ehlo && host_.mood.pipelining;
  phase_ = Phase::Idle;
  forget_transaction();
}

void ServerSession::on_start_tls(std::string_view line) {
  if (encrypted_) return breach(Step::StartTls, Breach::TlsTwice, line);
  if (host_.mood.tls == Tls::NotOffered || !ehlo_) {
    return breach(Step::StartTls, Breach::TlsNotOffered, line, 502);
  }
  if (phase_ == Phase::Transaction) return breach(Step::StartTls, Breach::TlsInTransaction, line);
  Answer answer{220, "2.0.0", "go ahead"};
  if (host_.mood.tls == Tls::RefusesCommand) answer = {454, "4.7.0", "TLS not available"};
  const int code = give(Step::StartTls, answer, host_.habit_at(Step::StartTls));
  if (code == 220 && !link_.hung_up()) phase_ = Phase::Handshake;
}

void ServerSession::forget_transaction() {
  recipients_.clear();
  sender_.clear();
  asked_ = 0;
  refused_ = false;
}

void ServerSession::on_mail(std::string_view line) {
  if (phase_ == Phase::NoHello) return breach(Step::Mail, Breach::MailWithoutHello, line);
  if (phase_ == Phase::Transaction) return breach(Step::Mail, Breach::MailInTransaction, line);
  if (!parameters_are_offered(host_.mood, ehlo_, line.substr(line.rfind('>') + 1))) {
    return breach(Step::Mail, Breach::ParameterNotOffered, line, 555);
  }
  const Mood& mood = host_.mood;
  forget_transaction();
  transaction_ = ++common_.transactions;
  sender_ = path_in(line);
  common_.witness.heard_mail(connection_, transaction_, sender_);
  if (mood.stated_messages > 0 && transactions_ >= mood.stated_messages && ehlo_) {
    return breach(Step::Mail, Breach::StatedLimit, line, 421);
  }
  const Answer answer = answer_to_mail(mood, encrypted_);
  std::optional<Habit> habit;
  if (mood.messages.most > 0 && transactions_ >= mood.messages.most) {
    habit = Habit{.what = Does::Closes421, .status = mood.messages.status};
  } else if (answer.code == 250) {
    habit = host_.habit_at(Step::Mail);
  }
  const int code = give(Step::Mail, answer, habit);
  if (code >= 200 && code < 300) {
    phase_ = Phase::Transaction;
    ++transactions_;
  } else {
    refused_ = true;
  }
}

void ServerSession::on_rcpt(std::string_view line) {
  const std::string_view recipient = path_in(line);
  // RFC 2920: the client may not have heard yet that its MAIL was refused.
  const bool guessed = phase_ == Phase::Idle && refused_ && in_group();
  if (recipient.empty() || (phase_ != Phase::Transaction && !guessed)) {
    return breach(Step::Rcpt, Breach::RcptWithoutMail, line);
  }
  ++asked_;
  common_.witness.heard_rcpt(connection_, transaction_, recipient);
  if (guessed) {
    give(Step::Rcpt, {503, "5.5.1", "no sender"}, std::nullopt, recipient);
    return;
  }
  if (host_.mood.stated_recipients > 0 && ehlo_ && asked_ > host_.mood.stated_recipients) {
    return breach(Step::Rcpt, Breach::StatedLimit, line, 452);
  }
  const Answer answer = answer_to_rcpt(host_, sender_, recipient, recipients_.size());
  const int code = give(Step::Rcpt, answer, host_.habit_at(Step::Rcpt), recipient);
  if (code >= 200 && code < 300) {
    recipients_.emplace_back(recipient);
  } else {
    refused_ = true;
  }
}

void ServerSession::on_data(std::string_view line) {
  const bool somebody = phase_ == Phase::Transaction && !recipients_.empty();
  if (!somebody && !(refused_ && in_group())) {
    return breach(Step::Data, Breach::DataWithoutRcpt, line);
  }
  if (!somebody && !(host_.mood.says_354_to_nobody && phase_ == Phase::Transaction)) {
    give(Step::Data, {phase_ == Phase::Transaction ? 554 : 503, "5.5.1", "no recipients"},
         std::nullopt);
    return;
  }
  const auto habit = host_.habit_at(Step::Data);
  const int code = give(Step::Data, {354, "", "go on"}, habit);
  if (code != 354) return;
  phase_ = Phase::Content;
  content_.begin();
  reads_ = !(habit && habit->what == Does::StopsReading);
  if (!reads_) common_.witness.fell_silent(connection_);
  breaks_content_ = habit && habit->what == Does::BreaksContent;
}

void ServerSession::on_dot() {
  phase_ = Phase::Idle;
  if (recipients_.empty()) {
    if (content_.octets() > 0) {
      common_.witness.breached(connection_, Breach::ContentForNobody, content_.message_id());
    }
    give(Step::Dot, {554, "5.5.1", "no recipients"}, std::nullopt);
    return forget_transaction();
  }
  const auto habit = host_.habit_at(Step::Dot);
  const bool takes = !habit || takes_message(*habit, host_.random());
  const std::vector<std::string_view> recipients(recipients_.begin(), recipients_.end());
  const Content content{content_.message_id(), content_.body_hash(), content_.octets()};
  common_.witness.heard_dot(connection_, transaction_, content, recipients, takes);
  const int code = give(Step::Dot, {250, "2.0.0", "taken"}, habit);
  const Limit& limit = host_.mood.messages;
  if (code == 250 && limit.most > 0 && limit.code == 0 && transactions_ >= limit.most) {
    hang_up(ports::IoError::Closed);
  }
  forget_transaction();
}

void ServerSession::on_reset() {
  if (phase_ == Phase::NoHello) return breach(Step::Reset, Breach::MailWithoutHello, "RSET");
  // Whatever it says: the client may have said its next MAIL already.
  phase_ = Phase::Idle;
  forget_transaction();
  give(Step::Reset, {}, host_.habit_at(Step::Reset));
}

void ServerSession::on_quit() {
  give(Step::Quit, {221, "2.0.0", "bye"}, host_.habit_at(Step::Quit));
  hang_up(ports::IoError::Closed);
}

}  // namespace relay::simulation
