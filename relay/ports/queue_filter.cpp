#include "relay/ports/queue_filter.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "relay/base/text.hpp"

namespace relay::ports {

namespace {

using Field = QueueCondition::Field;

constexpr std::size_t kIdCharacters = 26;

/// What follows the last "@"; the whole text when there is none.
std::string_view domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? address : address.substr(at + 1);
}

bool matches_sender(std::string_view pattern, std::string_view mail_from) {
  return matches_address(pattern, mail_from.empty() ? std::string_view("<>") : mail_from);
}

bool matches_id(std::string_view prefix, const mail::MessageId& id) {
  return matches_pattern(std::string(prefix) + '*', id.to_string());
}

bool holds(const QueueCondition& condition, const QueueSubject& subject, base::WallTime now) {
  switch (condition.field) {
    case Field::Id:
      return matches_id(condition.text, subject.id);
    case Field::Target:
      return matches_address(condition.text, subject.target);
    case Field::Alias:
      return matches_address(condition.text, subject.alias);
    case Field::Domain:
      return matches_pattern(condition.text, domain_of(subject.alias));
    case Field::Sender:
      return matches_sender(condition.text, subject.mail_from);
    case Field::Host:
      return matches_host(condition.text, subject.host) ||
             is_of_group(condition.group, subject.host);
    case Field::Code:
      return !subject.code.empty() && matches_pattern(condition.text, subject.code);
    case Field::MessageId:
      return matches_pattern(condition.text, subject.message_id);
    case Field::OlderThan:
      return now - subject.received_at > condition.age;
    case Field::YoungerThan:
      return now - subject.received_at < condition.age;
    case Field::State:
      return subject.state == condition.state && (!condition.deferred || subject.attempts > 0);
  }
  return false;
}

/// The id whose text is `prefix`, filled up with `fill`.
std::optional<mail::MessageId> filled(std::string_view prefix, char fill) {
  std::string text(prefix.substr(0, kIdCharacters));
  text.resize(kIdCharacters, fill);
  return mail::MessageId::parse(text);
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t in_pattern = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;  // where to search next for the octets after the last star
  while (in_text < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      resume = in_text;
    } else if (in_pattern < pattern.size() &&
               base::lower(pattern[in_pattern]) == base::lower(text[in_text])) {
      ++in_pattern;
      ++in_text;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      in_text = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

bool matches_address(std::string_view pattern, std::string_view address) {
  return matches_pattern(pattern, pattern.contains('@') ? address : domain_of(address));
}

bool matches_host(std::string_view pattern, std::string_view host) {
  if (host.empty()) return false;
  if (matches_pattern(pattern, host)) return true;
  return !pattern.contains('*') && host.size() > pattern.size() &&
         host[host.size() - pattern.size() - 1] == '.' &&
         base::equal_ignoring_case(host.substr(host.size() - pattern.size()), pattern);
}

bool is_of_group(const std::vector<HostEnd>& ends, std::string_view host) {
  const HostEnd* longest = nullptr;
  for (const HostEnd& end : ends) {
    const bool is_longer = longest == nullptr || end.text.size() > longest->text.size();
    if (is_longer && matches_host(end.text, host)) longest = &end;
  }
  return longest != nullptr && longest->is_of_group;
}

bool matches(const QueueFilter& filter, const QueueSubject& subject, base::WallTime now) {
  return std::ranges::all_of(filter.conditions, [&](const QueueCondition& condition) {
    return holds(condition, subject, now) != condition.negated;
  });
}

bool asks_for_message(const QueueFilter& filter) {
  constexpr std::array kOfMessage = {Field::Sender, Field::MessageId, Field::OlderThan,
                                     Field::YoungerThan};
  return std::ranges::any_of(filter.conditions, [&](const QueueCondition& condition) {
    return std::ranges::find(kOfMessage, condition.field) != kOfMessage.end();
  });
}

std::optional<IdRange> id_range(const QueueFilter& filter) {
  IdRange range{.first = {}, .last = *filled("7", 'Z')};
  for (const QueueCondition& condition : filter.conditions) {
    if (condition.field != Field::Id || condition.negated) continue;
    const std::string_view text = condition.text;
    const std::string_view prefix = text.substr(0, text.find('*'));
    if (prefix.size() > kIdCharacters) return std::nullopt;
    const auto first = filled(prefix, '0');
    // An empty prefix begins every id; its last id is 7ZZ…, beyond which no text goes.
    const auto last = prefix.empty() ? range.last : filled(prefix, 'Z');
    if (!first || !last) return std::nullopt;
    range.first = std::max(range.first, *first);
    range.last = std::min(range.last, *last);
  }
  if (range.last < range.first) return std::nullopt;
  return range;
}

}  // namespace relay::ports
