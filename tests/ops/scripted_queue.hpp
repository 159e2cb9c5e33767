// The operator's side of a queue, as far as tests of the verbs need one: rows that a test puts
// there, slices as small as it wants, errors where it wants them.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "relay/base/text.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

/// Octet by octet; "*" stands for any.
inline bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t wanted = 0;
  std::size_t star = pattern.npos;  ///< the last one met; what is before it need not be looked at
  std::size_t from = 0;
  while (at < text.size()) {
    if (wanted < pattern.size() && pattern[wanted] == '*') {
      star = wanted++;
      from = at;
    } else if (wanted < pattern.size() && pattern[wanted] == text[at]) {
      ++wanted;
      ++at;
    } else if (star != pattern.npos) {
      wanted = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', wanted) == pattern.npos;
}

class ScriptedQueue final : public ports::OperatorQueue {
 public:
  explicit ScriptedQueue(ports::Clock& clock) : clock_(clock) {}

  /// Before and after each call, with its name: to look, or to let something happen meanwhile.
  std::function<void(const std::string& call)> before;
  std::function<void(const std::string& call)> after;

  std::vector<ports::QueueRow> rows;  ///< by (id, index)
  std::map<mail::MessageId, std::vector<std::string>> chunks;
  std::map<mail::MessageId, std::vector<ports::AttemptRow>> history;
  std::vector<ports::PauseRule> rules;
  std::vector<std::string> reasons;  ///< of each change
  std::size_t looked_at = 1000;      ///< rows that one call of list() or change() looks at
  std::map<std::string, std::pair<int, ports::SpoolError>> fails;  ///< the n-th of these calls

  base::WallTime now() const noexcept override { return clock_.wall(); }

  base::Task<std::expected<ports::QueuePage, ports::SpoolError>> list(
      ports::QueueFilter filter, std::optional<mail::CopyId> behind, std::size_t limit) override {
    if (const auto error = begin("list")) co_return std::unexpected(*error);
    ports::QueuePage page;
    std::size_t looked = 0;
    for (const auto& row : rows) {
      if ((behind && row.copy <= *behind) || mail::is_final(row.state)) continue;
      if (looked == looked_at || page.rows.size() == limit) {
        page.next = behind;
        break;
      }
      ++looked;
      behind = row.copy;
      if (selects(filter, row)) page.rows.push_back(row);
    }
    if (after) after("list");
    co_return page;
  }

  base::Task<std::expected<std::vector<ports::QueueRow>, ports::SpoolError>> copies(
      mail::MessageId id) override {
    if (const auto error = begin("copies")) co_return std::unexpected(*error);
    std::vector<ports::QueueRow> found;
    for (const auto& row : rows) {
      if (row.copy.message == id) found.push_back(row);
    }
    if (found.empty()) co_return std::unexpected(ports::SpoolError::NotFound);
    co_return found;
  }

  base::Task<std::expected<std::vector<ports::AttemptRow>, ports::SpoolError>> attempts(
      mail::MessageId id) override {
    if (const auto error = begin("attempts")) co_return std::unexpected(*error);
    co_return history[id];
  }

  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override {
    if (const auto error = begin("read")) co_return std::unexpected(*error);
    const auto& content = chunks[id];
    co_return sequence < content.size() ? content[sequence] : "";
  }

  base::Task<std::expected<ports::ChangedSlice, ports::SpoolError>> change(
      ports::QueueFilter filter, ports::QueueAction action, std::string reason,
      std::optional<mail::CopyId> behind) override {
    if (const auto error = begin("change")) co_return std::unexpected(*error);
    reasons.push_back(reason);
    ports::ChangedSlice slice;
    std::size_t looked = 0;
    for (auto& row : rows) {
      if ((behind && row.copy <= *behind) || mail::is_final(row.state)) continue;
      if (looked == looked_at) {
        slice.next = behind;
        break;
      }
      ++looked;
      behind = row.copy;
      if (!selects(filter, row)) continue;
      if (apply(row, action)) {
        slice.changed.push_back(row.copy);
      } else if (action == ports::QueueAction::Hold) {
        slice.held_before.push_back(row.copy);
      }
    }
    if (after) after("change");
    co_return slice;
  }

  base::Task<std::expected<ports::QueueTotals, ports::SpoolError>> totals() override {
    if (const auto error = begin("totals")) co_return std::unexpected(*error);
    ports::QueueTotals sums;
    for (const auto& row : rows) {
      if (row.copy.index == 0) ++sums.messages;
      if (row.state == mail::RecipientState::Waiting) ++sums.waiting;
      if (row.state == mail::RecipientState::Held) ++sums.held;
      sums.bytes += row.size;
    }
    co_return sums;
  }

  base::Task<std::expected<ports::PauseRule, ports::SpoolError>> pause(
      ports::PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span) override {
    if (const auto error = begin("pause")) co_return std::unexpected(*error);
    take_rule(kind, value);
    rules.push_back({kind, value, reason, now(), {}});
    if (span) rules.back().until = now() + *span;
    if (after) after("pause");
    co_return rules.back();
  }

  base::Task<std::expected<bool, ports::SpoolError>> resume(ports::PauseRule::Kind kind,
                                                            std::string value) override {
    if (const auto error = begin("resume")) co_return std::unexpected(*error);
    co_return take_rule(kind, value);
  }

  base::Task<std::expected<std::vector<ports::PauseRule>, ports::SpoolError>> pauses() override {
    if (const auto error = begin("pauses")) co_return std::unexpected(*error);
    std::erase_if(rules, [this](const auto& rule) { return rule.until && *rule.until <= now(); });
    auto seen = rules;
    if (after) after("pauses");
    co_return seen;
  }

 private:
  std::optional<ports::SpoolError> begin(const std::string& call) {
    if (before) before(call);
    const auto fail = fails.find(call);
    if (fail == fails.end() || --fail->second.first > 0) return std::nullopt;
    const auto error = fail->second.second;
    fails.erase(fail);
    return error;
  }

  bool take_rule(ports::PauseRule::Kind kind, const std::string& value) {
    return std::erase_if(rules, [&](const auto& rule) {
             return rule.kind == kind && rule.value == value;
           }) > 0;
  }

  bool apply(ports::QueueRow& row, ports::QueueAction action) const {
    const bool waits = row.state == mail::RecipientState::Waiting;
    switch (action) {
      case ports::QueueAction::Retry:
        if (waits) row.next_due = now();
        return waits;
      case ports::QueueAction::Hold: {
        const bool awaits = !std::exchange(row.awaits, "").empty();
        row.state = mail::RecipientState::Held;
        return waits || awaits;
      }
      case ports::QueueAction::Release:
        if (waits) return false;
        row.state = mail::RecipientState::Waiting;
        row.released_at = now();
        return true;
      case ports::QueueAction::Drop:
      case ports::QueueAction::Bounce:
        row.state = mail::RecipientState::Failed;
        row.end = action == ports::QueueAction::Drop ? mail::End::Dropped : mail::End::Returned;
        return true;
    }
    return false;
  }

  bool selects(const ports::QueueFilter& filter, const ports::QueueRow& row) const {
    return std::ranges::all_of(filter.conditions, [&](const ports::QueueCondition& condition) {
      return holds(condition, row) != condition.negated;
    });
  }

  static bool is_under(const std::string& host, const std::string& end) {
    return host == end || host.ends_with('.' + end);
  }

  bool holds(const ports::QueueCondition& condition, const ports::QueueRow& row) const {
    using Field = ports::QueueCondition::Field;
    const auto address = [&](std::string text) {
      text = base::lower(text);
      if (condition.text.find('@') == std::string::npos) text = text.substr(text.rfind('@') + 1);
      return matches_pattern(text, condition.text);
    };
    switch (condition.field) {
      case Field::Id:
        return base::lower(row.copy.message.to_string()).starts_with(condition.text);
      case Field::Target:
        return address(row.target);
      case Field::Alias:
        return address(row.alias);
      case Field::Domain:
        return matches_pattern(base::lower(row.alias.substr(row.alias.rfind('@') + 1)),
                               condition.text);
      case Field::Sender:
        return condition.text == "<>" ? row.mail_from.empty() : address(row.mail_from);
      case Field::Host:
        return is_under(row.last.host, condition.text) ||
               std::ranges::any_of(condition.group, [&](const ports::HostEnd& end) {
                 return is_under(row.last.host, end.text);
               });
      case Field::Code:
        return row.last.code != 0 && matches_pattern(row.last.status.to_string(), condition.text);
      case Field::MessageId:
        return matches_pattern(base::lower(row.message_id), condition.text);
      case Field::OlderThan:
        return now() - row.received_at > condition.age;
      case Field::YoungerThan:
        return now() - row.received_at < condition.age;
      case Field::State:
        return row.state == condition.state && (!condition.deferred || row.attempts > 0);
    }
    return false;
  }

  ports::Clock& clock_;
};

}  // namespace relay::ops
