#include "relay/ops/filter.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "relay/base/closest.hpp"
#include "relay/base/quantity.hpp"
#include "relay/base/text.hpp"
#include "relay/base/ulid.hpp"
#include "relay/mail/address.hpp"

namespace relay::ops {

namespace {

using ports::QueueCondition;
using Field = QueueCondition::Field;
using Result = std::expected<void, std::string>;

constexpr std::size_t kIdLength = 26;
// Five characters of an id cover nine hours of arrivals, six cover seventeen minutes.
constexpr std::size_t kShortestId = 6;
constexpr std::size_t kLongestValue = 320;
// Each star makes matching slower.
constexpr std::ptrdiff_t kMostStars = 4;
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::string_view kKnown =
    "id: to: alias: domain: from: mx: code: age: message-id: state:, each with - in front for the "
    "opposite, or `all` alone";

Result refuse(std::string text) { return std::unexpected(std::move(text)); }

/// Without the angle brackets that logs and headers write; "<>" is kept.
std::string_view without_brackets(std::string_view text) {
  const bool both = text.size() > 2 && text.starts_with('<') && text.ends_with('>');
  return both ? text.substr(1, text.size() - 2) : text;
}

/// Only stars, "@" and dots: nothing to compare, so that it would be another way to say `all`.
bool says_nothing(std::string_view text) { return text.find_first_not_of("*@.") == text.npos; }

/// Domains are stored as A-labels (RFC 5890 §2.3.2.1), whatever the client wrote.
std::string with_a_labels(std::string_view value) {
  const std::size_t at = value.rfind('@');
  const std::size_t begin = at == value.npos ? 0 : at + 1;
  const std::string_view domain = value.substr(begin);
  if (base::is_ascii(domain)) return std::string(value);
  const auto parsed = mail::Domain::parse(domain);
  return parsed ? std::string(value.substr(0, begin)) + parsed->text() : std::string(value);
}

/// The address in the form that the queue stores, with the quotes it needs: `ann..b@x` finds
/// `"ann..b"@x`. Mailbox::parse() accepts a `*` as part of an atom and keeps it.
std::string as_stored(std::string_view value) {
  const auto address = mail::Mailbox::parse(value);
  return address ? address->to_string() : with_a_labels(value);
}

Result set_text(QueueCondition& condition, std::string_view value) {
  if (says_nothing(value)) {
    return refuse(fmt::format("\"{}\" selects everything; that is said by `all` alone", value));
  }
  if (std::ranges::count(value, '*') > kMostStars) {
    return refuse(fmt::format("at most {} `*` in one word", kMostStars));
  }
  condition.text = base::lower(value);
  return {};
}

Result set_id(QueueCondition& condition, std::string_view value) {
  const std::string id = base::lower(value);
  if (id.find_first_not_of(kCrockford) != std::string::npos || id.size() > kIdLength ||
      (id.size() == kIdLength && !base::Ulid::parse(id))) {
    return refuse(fmt::format("not a message id: {}", value));
  }
  if (id.size() < kShortestId) {
    return refuse(fmt::format("{} is too short for the beginning of an id: at least {} characters",
                              value, kShortestId));
  }
  condition.text = id;
  return {};
}

/// An address or a domain, matched as a whole unless it contains `*`.
Result set_address(QueueCondition& condition, std::string_view value) {
  if (value == "<>") return refuse("only a sender can be null: from:<>");
  value = without_brackets(value);
  const std::size_t at = value.rfind('@');
  if (at == 0) {
    return refuse(
        fmt::format("\"{}\" has nothing before the @; a domain is written without it", value));
  }
  if (at == value.size() - 1) {
    return refuse(fmt::format("\"{}\" has nothing behind the @", value));
  }
  return set_text(condition, as_stored(value));
}

Result set_sender(QueueCondition& condition, std::string_view value) {
  if (value != "<>") return set_address(condition, value);
  condition.text = value;
  return {};
}

Result set_host(QueueCondition& condition, std::string_view value) {
  if (value.ends_with('.')) value.remove_suffix(1);
  if (value.empty() || value.find_first_of("@ ") != value.npos) {
    return refuse("expected the name of a host, or the end of one");
  }
  return set_text(condition, with_a_labels(value));
}

Result set_domain(QueueCondition& condition, std::string_view value) {
  if (value.find('@') != value.npos) {
    return refuse("expected a domain; an address is alias:");
  }
  return set_host(condition, value);
}

Result set_code(QueueCondition& condition, std::string_view value) {
  const bool good = (value.starts_with("4.") || value.starts_with("5.")) && value.size() > 2 &&
                    value.find_first_not_of("0123456789.*") == value.npos &&
                    (std::ranges::count(value, '.') == 2 || value.ends_with('*'));
  if (!good) return refuse("expected an enhanced code such as 4.7.28, or 4.7.* for all of a kind");
  return set_text(condition, value);
}

Result set_age(QueueCondition& condition, std::string_view value) {
  const bool older = value.starts_with('>');
  if (!older && !value.starts_with('<')) {
    return refuse("expected age:>2h (older) or age:<5m (younger)");
  }
  const auto span = base::parse_duration(value.substr(1));
  if (!span) return refuse(span.error());
  if (span->count() == 0) return refuse("expected more than 0");
  // Far beyond any expiry, and small enough to be added to a point in time without overflow.
  if (*span > std::chrono::days(36'500)) return refuse("too large");
  condition.field = older ? Field::OlderThan : Field::YoungerThan;
  condition.age = *span;
  return {};
}

Result set_message_id(QueueCondition& condition, std::string_view value) {
  if (value == "<>") return refuse("has nothing between its brackets");
  return set_text(condition, without_brackets(value));
}

Result set_state(QueueCondition& condition, std::string_view value) {
  if (value != "waiting" && value != "deferred" && value != "held") {
    return refuse(fmt::format("expected waiting, deferred or held, not \"{}\"", value));
  }
  condition.state = value == "held" ? mail::RecipientState::Held : mail::RecipientState::Waiting;
  condition.deferred = value == "deferred";
  return {};
}

struct Key {
  std::string_view name;
  Field field;
  Result (*set)(QueueCondition&, std::string_view);
};

constexpr std::array<Key, 10> kKeys{{
    {"id", Field::Id, set_id},
    {"to", Field::Target, set_address},
    {"alias", Field::Alias, set_address},
    {"domain", Field::Domain, set_domain},
    {"from", Field::Sender, set_sender},
    {"mx", Field::Host, set_host},
    {"code", Field::Code, set_code},
    {"age", Field::OlderThan, set_age},
    {"message-id", Field::MessageId, set_message_id},
    {"state", Field::State, set_state},
}};

std::string unknown_key(std::string_view key) {
  std::vector<std::string> names;
  for (const Key& known : kKeys) names.emplace_back(known.name);
  const std::string near = base::closest(key, names);
  const std::string hint = near.empty() ? "" : fmt::format("; did you mean {}:?", near);
  return fmt::format("unknown filter word {}:{} (known: {})", key, hint, kKnown);
}

std::string no_key(std::string_view word) {
  if (word.starts_with('-')) {
    return fmt::format("{} has no key: the opposite of a condition is -KEY:VALUE, as -id:{}", word,
                       word.substr(1));
  }
  if (word.find('@') != word.npos) {
    return fmt::format("{}: say whose address that is: to:, alias: or from:", word);
  }
  return fmt::format("not a message id or filter word: {} (known: {})", word, kKnown);
}

/// Sets `key` to the name that may occur only once among the words.
std::expected<QueueCondition, std::string> parse_word(std::string_view word, std::string& key) {
  QueueCondition condition;
  if (word.size() > kLongestValue) {
    return std::unexpected(fmt::format("a filter word has at most {} octets", kLongestValue));
  }
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) {
    if (word.empty()) return std::unexpected("an empty filter word selects nothing");
    key = "id";
    const bool could_be_id = base::lower(word).find_first_not_of(kCrockford) == std::string::npos;
    if (!could_be_id) return std::unexpected(no_key(word));
    if (auto set = set_id(condition, word); !set) return std::unexpected(set.error());
    return condition;
  }
  key = word.substr(0, colon);
  condition.negated = key.starts_with('-');
  const std::string_view bare = std::string_view(key).substr(condition.negated ? 1 : 0);
  const auto known = std::ranges::find(kKeys, bare, &Key::name);
  if (known == kKeys.end()) return std::unexpected(unknown_key(bare));
  condition.field = known->field;
  const std::string_view value = word.substr(colon + 1);
  if (value.empty()) {
    const bool sender = known->field == Field::Sender;
    return std::unexpected(
        fmt::format("{}: has no value{}", key, sender ? "; the null sender is from:<>" : ""));
  }
  auto set = known->set(condition, value);
  if (!set) return std::unexpected(fmt::format("{}: {}", key, set.error()));
  return condition;
}

}  // namespace

std::expected<ports::QueueFilter, std::string> parse_filter(const std::vector<std::string>& words) {
  ports::QueueFilter filter;
  if (words.size() == 1 && words.front() == "all") return filter;
  std::set<std::string> seen;
  for (const std::string& word : words) {
    if (word == "all") return std::unexpected("`all` stands alone, or it would say nothing");
    std::string key;
    auto condition = parse_word(word, key);
    if (!condition) return std::unexpected(condition.error());
    if (!seen.insert(key).second) {
      const bool age = key.ends_with("age");
      return std::unexpected(
          fmt::format("{}: is given twice{}", key, age ? "; a span is age:>2h -age:>5h" : ""));
    }
    filter.conditions.push_back(std::move(*condition));
  }
  return filter;
}

std::expected<ports::QueueFilter, std::string> parse_selection(
    const std::vector<std::string>& words) {
  if (words.empty()) return std::unexpected("say which: an id, filter words, or `all`");
  return parse_filter(words);
}

bool is_bulk(const ports::QueueFilter& filter) {
  return std::ranges::none_of(filter.conditions, [](const QueueCondition& condition) {
    return condition.field == Field::Id && !condition.negated && condition.text.size() == kIdLength;
  });
}

std::expected<PauseTarget, std::string> parse_pause_target(const std::vector<std::string>& words) {
  using Kind = ports::PauseRule::Kind;
  if (words.size() != 1) {
    return std::unexpected("say what: one of mx:HOST, domain:DOMAIN, alias:ADDRESS");
  }
  std::string key;
  auto condition = parse_word(words.front(), key);
  if (!condition) return std::unexpected(condition.error());
  if (condition->text.find('*') != std::string::npos) {
    return std::unexpected("a pause is for one host or group, domain or alias, without `*`");
  }
  if (key == "mx") return PauseTarget{Kind::Host, condition->text};
  if (key == "domain") return PauseTarget{Kind::Domain, condition->text};
  if (key != "alias") {
    return std::unexpected(fmt::format("{}: cannot be paused; mx:, domain: and alias: can", key));
  }
  if (condition->text.find('@') == std::string::npos && condition->text != "postmaster") {
    return std::unexpected("alias: expected an address; a domain is domain:");
  }
  return PauseTarget{Kind::Alias, condition->text};
}

std::string_view name(ports::PauseRule::Kind kind) {
  switch (kind) {
    case ports::PauseRule::Kind::Host:
      return "mx";
    case ports::PauseRule::Kind::Domain:
      return "domain";
    case ports::PauseRule::Kind::Alias:
      return "alias";
  }
  return "mx";
}

}  // namespace relay::ops
