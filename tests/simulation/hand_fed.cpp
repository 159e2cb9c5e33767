#include "tests/simulation/hand_fed.hpp"

#include "tests/support/mailbox.hpp"

namespace relay::simulation {

using namespace std::chrono_literals;

namespace {

mail::MessageId id_of(std::uint32_t number, std::uint8_t kind = 0) {
  std::array<std::uint8_t, 10> octets{};
  octets[0] = kind;
  octets[9] = static_cast<std::uint8_t>(number);
  return mail::MessageId::make(SimClock::kWallStart, octets);
}

using support::mailbox;

std::string content_of(const mail::MessageId& id) {
  return "Message-ID: <" + id.to_string() + "@sim>\r\n\r\nbody\r\n";
}

}  // namespace

World small_world() {
  World world;
  world.settings.expire = 3600s;
  for (const char* name : {"mx0", "mx1", "mx2", "us", "mx3", "mx4", "mx5", "mx6"}) {
    world.hosts.push_back({.name = std::string(name) + ".x.example"});
  }
  world.hosts[3].us = Us::ByName;
  world.domains = {
      {.name = "d0.example", .exchanges = {{10, 0}, {20, 1}}},
      {.name = "d1.example", .exchanges = {{10, 2}}},
      {.name = "d2.example", .exchanges = {{10, 3}, {20, 4}}},
      {.name = "d3.example", .exchanges = {{10, 0}, {20, 5}, {30, 6}, {40, 7}}},
  };
  world.messages.resize(10);
  return world;
}

HandFed::HandFed(World made) : world(std::move(made)), judge(world, clock) {}

mail::MessageId HandFed::accept(std::uint32_t number, std::vector<CopyPlan> copies, bool commit) {
  ports::NewMessage message;
  message.message.id = id_of(number);
  message.message.reverse_path = mail::ReversePath(mailbox(sender_address(world, number, 1)));
  message.message.sender_authenticated = true;
  message.content = content_of(message.message.id);
  for (const CopyPlan& copy : copies) {
    const auto index = static_cast<std::uint16_t>(message.routes.size());
    message.routes.push_back(
        {.index = index,
         .original = mail::ForwardPath(mailbox(alias_address(number, copy))),
         .target = mailbox(recipient_address(world, number, index, copy)),
         .reverse_path = mail::ReversePath(mailbox(rewritten_sender(number, copy.sender))),
         .handling = {.risk_pool = copy.risk_pool},
         .held = copy.held});
  }
  world.messages[number].copies = std::move(copies);
  judge.arriving(message, number);
  if (commit) judge.committed(number);
  return message.message.id;
}

std::string HandFed::address(CopyName copy) {
  if (copy.index == kToSender) return sender_address(world, copy.message, 1);
  return recipient_address(world, copy.message, copy.index,
                           world.messages[copy.message].copies[copy.index]);
}

std::uint32_t HandFed::dial(int host, bool risk_pool, bool offers_tls) {
  judge.traffic.dialled({.connection = ++connections_,
                         .host = host,
                         .risk_pool = risk_pool,
                         .offers_tls = offers_tls});
  return connections_;
}

std::uint32_t HandFed::mail(std::uint32_t connection, std::uint32_t message) {
  connection_of_.push_back(connection);
  judge.traffic.heard_mail(connection, ++transactions_, rewritten_sender(message, 0));
  return transactions_;
}

void HandFed::rcpt(std::uint32_t transaction, CopyName copy) {
  judge.traffic.heard_rcpt(connection_of_[transaction], transaction, address(copy));
}

std::uint32_t HandFed::say(std::uint32_t transaction, Step step, int code, std::string_view status,
                           CopyName recipient, unsigned accepted) {
  const std::string to = recipient == kNoCopy ? "" : address(recipient);
  judge.traffic.said({.number = ++replies_,
                      .connection = connection_of_[transaction],
                      .transaction = transaction,
                      .step = step,
                      .code = code,
                      .status = status,
                      .recipient = to,
                      .accepted = accepted,
                      .delay = 0ms});
  return replies_;
}

std::uint32_t HandFed::dot(std::uint32_t transaction, std::uint32_t content,
                           std::vector<CopyName> to, bool taken) {
  std::vector<std::string> addresses;
  for (const CopyName copy : to) addresses.push_back(address(copy));
  const std::vector<std::string_view> views(addresses.begin(), addresses.end());
  const MessageTruth& message = judge.book.messages()[content];
  const std::string id = message.id.to_string();
  judge.traffic.heard_dot(connection_of_[transaction], transaction, {id, message.body_hash, 100},
                          views, taken);
  return say(transaction, Step::Dot, taken ? 250 : 451);
}

std::uint32_t HandFed::deliver(CopyName copy, int host) {
  const auto transaction = mail(dial(host), copy.message);
  rcpt(transaction, copy);
  return dot(transaction, copy.message, {copy});
}

ports::CopyUpdate HandFed::outcome(CopyName copy, mail::RecipientState state, mail::End end,
                                   mail::Stage stage, int code, std::uint32_t reply) {
  ports::CopyUpdate update;
  update.index = copy.index;
  const CopyTruth* truth = judge.book.find(copy);
  update.attempts_before = truth != nullptr ? truth->attempts : 0;
  update.state = state;
  update.retry_after = 60s;
  update.end = end;
  mail::DeliveryAttempt attempt;
  attempt.host = "mx0.x.example";
  attempt.stage = stage;
  attempt.code = code;
  attempt.text = "[r" + std::to_string(reply) + "] text";
  update.attempts.push_back(std::move(attempt));
  if (state == mail::RecipientState::Failed) update.notify = ports::Notify::OfFailure;
  return update;
}

ports::CopyUpdate HandFed::delivered(CopyName copy, std::uint32_t reply) {
  return outcome(copy, mail::RecipientState::Delivered, mail::End::Delivered,
                 mail::Stage::EndOfData, 250, reply);
}

ports::CopyUpdate HandFed::refused(CopyName copy, std::uint32_t reply, int code,
                                   mail::Stage stage) {
  return outcome(copy, mail::RecipientState::Failed, mail::End::Refused, stage, code, reply);
}

ports::CopyUpdate HandFed::deferred(CopyName copy, std::vector<std::string> hosts, int code,
                                    mail::Stage stage) {
  auto update = outcome(copy, mail::RecipientState::Waiting, mail::End::None, stage, code, 0);
  update.attempts.front().text = "later";
  update.attempts.front().status = {4, 3, 0};
  update.attempts.resize(hosts.size(), update.attempts.front());
  for (std::size_t i = 0; i < hosts.size(); ++i) update.attempts[i].host = hosts[i] + ".x.example";
  return update;
}

void HandFed::record(std::uint32_t message, ports::CopyUpdate update, ports::Recorded how) {
  ports::Update whole{.id = judge.book.messages()[message].id, .copies = {}};
  whole.copies.push_back(std::move(update));
  judge.recorded(whole, {.copies = {how}});
  judge.heard(whole);
}

void HandFed::report(std::uint32_t message,
                     std::vector<std::pair<std::uint16_t, ports::Notify>> notices, std::string text,
                     int dsns) {
  ports::Report report{judge.book.messages()[message].id, std::move(notices), {}};
  for (int i = 0; i < dsns; ++i) {
    ports::NewMessage dsn;
    dsn.message.id = id_of(message, ++dsns_);
    dsn.content = "Subject: DSN\r\n\r\n" + text;
    const std::string to = sender_address(world, message, 1);
    dsn.routes.push_back({.original = mail::ForwardPath(mailbox(to)), .target = mailbox(to)});
    report.dsns.push_back(std::move(dsn));
  }
  judge.notices.reported(report);
}

void HandFed::verb(ports::QueueAction action, CopyName copy, std::size_t under_way) {
  const std::vector<mail::CopyId> copies{{judge.book.messages()[copy.message].id, copy.index}};
  judge.verbs.changed(action, copies);
  judge.fairness.expect_move(judge.verbs.answered(action, copies, under_way));
}

void HandFed::wait(std::chrono::milliseconds span) {
  clock.in(span, [] {});
  judge.before_advance(clock.steady() + span);
  clock.step();
}

std::vector<Rule> HandFed::broken() const {
  std::vector<Rule> rules;
  for (const Violation& violation : judge.verdicts.violations()) rules.push_back(violation.rule);
  return rules;
}

}  // namespace relay::simulation
