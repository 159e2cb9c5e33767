#include "tests/simulation/letters.hpp"

#include <charconv>

#include "tests/support/mailbox.hpp"

namespace relay::simulation {

using Scope = Incident::Scope;

namespace {

using support::mailbox;

std::string content_of(const mail::MessageId& id, std::uint32_t octets) {
  std::string content = "Message-ID: <" + id.to_string() +
                        "@sim>\r\nFrom: a@sender.example\r\nSubject: simulated\r\n\r\n";
  content.reserve(content.size() + octets + 80);
  const std::string line = "..what stands in " + id.to_string() + "\r\n";
  while (octets > line.size()) {
    content += line;
    octets -= static_cast<std::uint32_t>(line.size());
  }
  return content + ".\r\n";
}

}  // namespace

ports::NewMessage new_message(const World& world, std::uint32_t number, base::WallTime now) {
  const MessagePlan& plan = world.messages[number];
  std::array<std::uint8_t, 10> octets{};
  std::uint64_t seed = world.seed + number;
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(splitmix(seed));
  ports::NewMessage made;
  made.message.id = mail::MessageId::make(now, octets);
  if (!plan.null_sender) {
    made.message.reverse_path =
        mail::ReversePath(mailbox(sender_address(world, number, plan.sender_domain)));
  }
  made.message.sender_authenticated = plan.authenticated;
  made.message.trace_fields = "Received: from somebody\r\n";
  made.message.seal_fields = "ARC-Seal: i=1\r\n";
  made.content = content_of(made.message.id, plan.octets);
  made.message.size = made.content.size();
  for (const CopyPlan& copy : plan.copies) {
    const auto index = static_cast<std::uint16_t>(made.routes.size());
    mail::Route route{.index = index,
                      .original = mail::ForwardPath(mailbox(alias_address(number, copy))),
                      .target = mailbox(recipient_address(world, number, index, copy)),
                      .reverse_path = mail::ReversePath::null()};
    if (!plan.null_sender) {
      route.reverse_path = mail::ReversePath(mailbox(rewritten_sender(number, copy.sender)));
    }
    route.handling.risk_pool = copy.risk_pool;
    route.handling.seal = copy.sealed;
    route.held = copy.held;
    made.routes.push_back(std::move(route));
  }
  return made;
}

ports::FreshMessage fresh_message(const ports::NewMessage& message, base::WallTime now) {
  ports::FreshMessage fresh{
      .queued = {.message = message.message, .recipients = {}, .received_at = now},
      .content = nullptr};
  if (message.content.size() <= ports::kChunkOctets) {
    fresh.content = std::make_shared<const std::string>(message.content);
  }
  for (const mail::Route& route : message.routes) {
    mail::QueuedRecipient copy{.route = route};
    copy.state = route.held ? mail::RecipientState::Held : mail::RecipientState::Waiting;
    copy.next_due = now;
    fresh.queued.recipients.push_back(std::move(copy));
  }
  return fresh;
}

ports::QueueFilter filter_of(const World& world, const Book& book, const Incident& incident) {
  using Field = ports::QueueCondition::Field;
  const auto one = [](Field field, std::string text) {
    ports::QueueFilter filter;
    filter.conditions.push_back({.field = field, .text = std::move(text)});
    return filter;
  };
  const auto number = static_cast<std::uint32_t>(incident.target % world.messages.size());
  const DomainPlan& domain = world.domains[incident.target % world.domains.size()];
  switch (incident.scope) {
    case Scope::Everything:
      return {};
    case Scope::Message:
      return one(Field::Id, book.messages()[number].id.to_string());
    case Scope::Domain:
      return one(Field::Target, domain.name);
    case Scope::Sender:
      return one(Field::Sender,
                 incident.target % 5 == 0
                     ? "<>"
                     : sender_address(world, number, world.messages[number].sender_domain));
    case Scope::Host:
      return one(Field::Host, world.hosts[incident.target % world.hosts.size()].name);
  }
  return {};
}

std::string reason_for(const OperatorsOrder& order) {
  return std::to_string(static_cast<unsigned>(order.action)) + ' ' + std::to_string(order.number);
}

OperatorsOrder ordered_with(std::string_view reason) {
  OperatorsOrder order;
  unsigned action = 0;
  const char* const end = reason.data() + reason.size();
  const auto [blank, error] = std::from_chars(reason.data(), end, action);
  if (error == std::errc() && blank != end) std::from_chars(blank + 1, end, order.number);
  order.action = static_cast<ports::QueueAction>(action);
  return order;
}

std::pair<ports::PauseRule::Kind, std::string> pause_target(const World& world,
                                                            const Incident& incident) {
  using Kind = ports::PauseRule::Kind;
  Kind kind = Kind::Domain;
  std::string value = hosted_domain(incident.target);
  if (incident.scope == Scope::Host) {
    kind = Kind::Host;
    value = world.hosts[incident.target % world.hosts.size()].name;
  } else if (incident.scope == Scope::Message) {
    const auto number = static_cast<std::uint32_t>(incident.target % world.messages.size());
    kind = Kind::Alias;
    value = alias_address(number, world.messages[number].copies.front());
  }
  return {kind, value};
}

}  // namespace relay::simulation
