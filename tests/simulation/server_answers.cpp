#include "tests/simulation/server_answers.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::simulation {

namespace {

std::string_view domain_of(std::string_view address) {
  return address.substr(std::min(address.rfind('@'), address.size() - 1) + 1);
}

bool begins(std::string_view line, std::string_view verb) {
  return base::starts_with_ignoring_case(line, verb);
}

Answer answer_to_mailbox(const Host& host, std::string_view recipient) {
  switch (static_cast<MailboxKind>(recipient.front())) {
    case MailboxKind::Unknown:
      return {550, "5.1.1", "no such mailbox"};
    case MailboxKind::Moved:
      return {551, "5.1.6", "moved"};
    case MailboxKind::Full:
      return {552, "5.2.2", "mailbox full"};
    case MailboxKind::FullForNow:
      return host.healed ? Answer{250, "2.1.5", "ok"} : Answer{452, "4.2.2", "over quota"};
    case MailboxKind::Unverified:
      return host.healed ? Answer{250, "2.1.5", "ok"} : Answer{450, "4.1.1", "not verified yet"};
    default:
      return {250, "2.1.5", "ok"};
  }
}

}  // namespace

std::string_view path_in(std::string_view line) {
  const std::size_t open = line.find('<');
  const std::size_t close = line.rfind('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return line.substr(open + 1, close - open - 1);
}

std::string extensions(const Host& host, bool encrypted) {
  const Mood& mood = host.mood;
  std::string text = "250-" + host.name() + "\r\n";
  if (mood.pipelining) text += "250-PIPELINING\r\n";
  if (mood.eight_bit_mime) text += "250-8BITMIME\r\n";
  if (mood.size) text += "250-SIZE 52428800\r\n";
  if (mood.tls != Tls::NotOffered && !encrypted) text += "250-STARTTLS\r\n";
  if (mood.stated_recipients > 0 || mood.stated_messages > 0) {
    text += "250-LIMITS";
    if (mood.stated_recipients > 0) text += " RCPTMAX=" + std::to_string(mood.stated_recipients);
    if (mood.stated_messages > 0) text += " MAILMAX=" + std::to_string(mood.stated_messages);
    text += "\r\n";
  }
  return text + (mood.enhanced_codes ? "250 ENHANCEDSTATUSCODES\r\n" : "250 HELP\r\n");
}

Answer answer_to_mail(const Mood& mood, bool encrypted) {
  if (mood.demands_tls && !encrypted) return {530, "5.7.0", "STARTTLS first"};
  return {250, "2.1.0", "ok"};
}

Answer answer_to_rcpt(Host& host, std::string_view sender, std::string_view recipient,
                      std::size_t accepted) {
  const Mood& mood = host.mood;
  if (mood.own_domains_only && !host.is_own(domain_of(recipient))) {
    return {550, "5.7.1", "relaying denied"};
  }
  if (mood.recipients.most > 0 && accepted >= mood.recipients.most) {
    return {mood.recipients.code, mood.recipients.status, "too many recipients"};
  }
  const Answer answer = answer_to_mailbox(host, recipient);
  if (answer.code == 250 && host.turns_away(sender, recipient)) {
    return {mood.greylist.code, mood.greylist.status, "come again later"};
  }
  return answer;
}

bool parameters_are_offered(const Mood& mood, bool ehlo, std::string_view parameters) {
  while (!parameters.empty()) {
    if (parameters.front() == ' ') {
      parameters.remove_prefix(1);
      continue;
    }
    const std::string_view one = parameters.substr(0, parameters.find(' '));
    parameters.remove_prefix(one.size());
    const bool offered = ehlo && ((begins(one, "SIZE=") && mood.size) ||
                                  (begins(one, "BODY=") && mood.eight_bit_mime));
    if (!offered) return false;
  }
  return true;
}

bool takes_message(const Habit& habit, Random& random) {
  switch (habit.what) {
    case Does::Replies:
    case Does::RepliesAndCloses:
      return habit.code < 300;
    case Does::Closes421:
      return false;
    case Does::Closes:
    case Does::Resets:
    case Does::StaysSilent:
      return random.chance(500);  // nobody hears of it either way
    default:
      return true;
  }
}

std::string text_of(const Answer& answer, std::uint32_t number, bool shows_status, Does manner) {
  const std::string code = std::to_string(answer.code);
  std::string line = " ";
  if (shows_status && !answer.status.empty()) {
    line += answer.status;
    line += ' ';
  }
  if (number > 0) line += "[r" + std::to_string(number) + "] ";
  if (manner != Does::SaysNoText) line += answer.text;
  line += "\r\n";
  if (manner != Does::SaysMore) return code + line;
  return code + "-first of three\r\n" + code + "-\r\n" + code + line;
}

}  // namespace relay::simulation
