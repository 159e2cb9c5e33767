#include "tests/fakes/memory_spool.hpp"

#include <algorithm>
#include <tuple>

#include "relay/base/text.hpp"

namespace relay::fakes {

using ports::SpoolError;

namespace {

auto key(const ports::QueueRow& row) {
  return std::tuple(row.recipient.next_due, row.message.id, row.recipient.route.index);
}

bool after(const ports::QueueRow& row, const std::optional<ports::QueueCursor>& cursor) {
  return !cursor || key(row) > std::tuple(cursor->next_due, cursor->id, cursor->index);
}

bool matches(const ports::QueueRow& row, const ports::QueueFilter& filter) {
  const auto has = [](const std::string& text, const std::string& part) {
    return part.empty() || base::lower(text).find(part) != std::string::npos;
  };
  return (!filter.id || row.message.id == *filter.id) &&
         row.message.id.to_string().starts_with(filter.id_prefix) &&
         (!filter.state || row.recipient.state == *filter.state) &&
         (has(row.recipient.route.target.to_string(), filter.target) ||
          has(row.recipient.route.original.to_string(), filter.target)) &&
         has(row.message.reverse_path.to_string(), filter.sender);
}

}  // namespace

void MemorySpool::fail_write(int n, SpoolError error) {
  const std::lock_guard lock(mutex_);
  fail_at_ = n;
  fail_with_ = error;
}

std::optional<SpoolError> MemorySpool::failure() {
  if (poisoned_) return SpoolError::Poisoned;
  if (fail_at_ == 0 || --fail_at_ > 0) return std::nullopt;
  poisoned_ = fail_with_ == SpoolError::Poisoned;
  return fail_with_;
}

std::size_t MemorySpool::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_.size();
}

std::size_t MemorySpool::drafts() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      chunks_, [this](const auto& entry) { return !messages_.contains(entry.first); }));
}

std::vector<ports::Update> MemorySpool::updates() const {
  const std::lock_guard lock(mutex_);
  return updates_;
}

base::Task<std::expected<void, SpoolError>> MemorySpool::append(mail::MessageId draft,
                                                                std::uint32_t sequence,
                                                                std::string chunk) {
  const std::lock_guard lock(mutex_);
  std::expected<void, SpoolError> ok;
  if (const auto failed = failure()) co_return std::unexpected(*failed);
  chunks_[draft][sequence] = std::move(chunk);
  co_return ok;
}

void MemorySpool::discard(mail::MessageId draft) noexcept {
  const std::lock_guard lock(mutex_);
  chunks_.erase(draft);
}

std::uint64_t MemorySpool::count_awaiting(const std::string& address) const {
  std::uint64_t count = 0;
  if (address.empty()) return count;
  for (const auto& [id, stored] : messages_) {
    count += static_cast<std::uint64_t>(std::ranges::count_if(
        stored.queued.recipients,
        [&](const auto& recipient) { return recipient.route.awaits == address; }));
  }
  return count;
}

std::expected<void, SpoolError> MemorySpool::store(const ports::NewMessage& message) {
  for (const auto& token : message.tokens) {
    const auto held = std::ranges::count_if(
        tokens_, [&](const auto& entry) { return entry.second.client == token.client; });
    if (!tokens_.contains(token.token) && static_cast<std::size_t>(held) >= kTokensPerClient) {
      return std::unexpected(SpoolError::TokenQuota);
    }
  }
  for (const auto& route : message.routes) {
    if (!route.awaits.empty() && count_awaiting(route.awaits) >= message.max_awaiting) {
      return std::unexpected(SpoolError::Unconfirmed);
    }
  }
  for (const auto& token : message.tokens) tokens_.insert_or_assign(token.token, token);
  const auto& m = message.message;
  Stored stored{.queued = {.message = m, .recipients = {}},
                .history = {},
                .content_sha256 = message.content_sha256};
  for (const auto& route : message.routes) {
    stored.queued.recipients.push_back(
        {.route = route,
         .state = route.held ? mail::RecipientState::Held : mail::RecipientState::Waiting,
         .attempts = 0,
         .next_due = message.first_due,
         .warned = false,
         .possible_duplicate = false,
         .last = {},
         .released_at = {}});
  }
  if (!message.last_chunk.empty()) {
    auto& chunks = chunks_[m.id];
    chunks[static_cast<std::uint32_t>((m.size - message.last_chunk.size()) / kChunkOctets)] =
        message.last_chunk;
  }
  messages_.insert_or_assign(m.id, std::move(stored));
  return {};
}

base::Task<std::expected<ports::CommitProof, SpoolError>> MemorySpool::commit(
    ports::NewMessage message) {
  const std::lock_guard lock(mutex_);
  if (const auto failed = failure()) co_return std::unexpected(*failed);
  const auto stored = store(message);
  if (!stored) co_return std::unexpected(stored.error());
  co_return proof_of(message.message.id);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
MemorySpool::accepted_since(base::WallTime since, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<ports::RememberedMessage> found;
  for (auto at = messages_.rbegin(); at != messages_.rend() && found.size() < limit; ++at) {
    if (at->first.time() < since) break;
    const mail::QueuedMessage& queued = at->second.queued;
    ports::RememberedMessage one{.proof = proof_of(at->first),
                                 .client = queued.message.client.address,
                                 .reverse_path = queued.message.reverse_path.to_string(),
                                 .forward_paths = {},
                                 .content_sha256 = at->second.content_sha256};
    for (const auto& copy : queued.recipients) {
      const std::string path = copy.route.original.to_string();
      if (one.forward_paths.empty() || one.forward_paths.back() != path) {
        one.forward_paths.push_back(path);
      }
    }
    found.push_back(std::move(one));
  }
  co_return found;
}

base::Task<std::expected<mail::QueuedMessage, SpoolError>> MemorySpool::load(mail::MessageId id) {
  const std::lock_guard lock(mutex_);
  const auto found = messages_.find(id);
  if (found == messages_.end()) co_return std::unexpected(SpoolError::NotFound);
  co_return found->second.queued;
}

base::Task<std::expected<std::string, SpoolError>> MemorySpool::read(mail::MessageId id,
                                                                     std::uint32_t sequence) {
  const std::lock_guard lock(mutex_);
  if (!messages_.contains(id)) co_return std::unexpected(SpoolError::NotFound);
  const auto& chunks = chunks_[id];
  const auto found = chunks.find(sequence);
  co_return found == chunks.end() ? std::string() : found->second;
}

void MemorySpool::remove_if_done(const mail::MessageId& id) {
  const auto found = messages_.find(id);
  const bool done = std::ranges::all_of(found->second.queued.recipients, [](const auto& recipient) {
    return mail::is_final(recipient.state);
  });
  if (!done) return;
  messages_.erase(found);
  chunks_.erase(id);
}

base::Task<std::expected<void, SpoolError>> MemorySpool::record(ports::Update update) {
  const std::lock_guard lock(mutex_);
  std::expected<void, SpoolError> ok;
  if (const auto failed = failure()) co_return std::unexpected(*failed);
  const auto found = messages_.find(update.id);
  if (found == messages_.end()) co_return std::unexpected(SpoolError::NotFound);
  for (const auto& change : update.recipients) {
    for (auto& recipient : found->second.queued.recipients) {
      if (recipient.route.index != change.index) continue;
      recipient.state = change.state;
      recipient.attempts = change.attempts;
      recipient.next_due = change.next_due;
      recipient.warned = change.warned;
      recipient.possible_duplicate = change.possible_duplicate;
      recipient.last = change.attempt;
    }
    found->second.history.push_back({change.index, change.attempt});
  }
  for (const auto& bounce : update.bounces) {
    [[maybe_unused]] const auto stored = store(bounce);
  }
  updates_.push_back(update);
  remove_if_done(update.id);
  co_return ok;
}

std::vector<ports::QueueRow> MemorySpool::rows(const ports::QueueFilter& filter) const {
  std::vector<ports::QueueRow> found;
  for (const auto& [id, stored] : messages_) {
    for (const auto& recipient : stored.queued.recipients) {
      const ports::QueueRow row{stored.queued.message, recipient};
      if (!mail::is_final(recipient.state) && matches(row, filter)) found.push_back(row);
    }
  }
  std::ranges::sort(found, {}, key);
  return found;
}

base::Task<std::expected<std::vector<mail::QueueItem>, SpoolError>> MemorySpool::due(
    base::WallTime until, std::optional<ports::QueueCursor> cursor, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<mail::QueueItem> items;
  for (const auto& row : rows({.state = mail::RecipientState::Waiting})) {
    if (items.size() == limit || row.recipient.next_due > until) break;
    if (!after(row, cursor)) continue;
    items.push_back({row.message.id, row.recipient.route.index, row.recipient.next_due,
                     row.recipient.route.target.domain().folded(),
                     row.recipient.route.handling.risk_pool});
  }
  co_return items;
}

base::Task<std::expected<std::optional<base::WallTime>, SpoolError>> MemorySpool::next_due(
    base::WallTime later_than) {
  const std::lock_guard lock(mutex_);
  std::optional<base::WallTime> next;
  for (const auto& row : rows({.state = mail::RecipientState::Waiting})) {
    if (row.recipient.next_due > later_than) {
      next = row.recipient.next_due;
      break;
    }
  }
  co_return next;
}

base::Task<std::expected<mail::ReversePath, SpoolError>> MemorySpool::find_token(
    std::string token, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  if (found == tokens_.end() || found->second.expires_at < now) {
    co_return std::unexpected(SpoolError::NotFound);
  }
  co_return found->second.reverse_path;
}

std::optional<MemorySpool::Visitor> MemorySpool::visitor(const std::string& key,
                                                         base::WallTime now) {
  const auto found = greylist_.find(key);
  if (found == greylist_.end() || found->second.expires <= now || found->second.at > now) {
    return std::nullopt;
  }
  return found->second;
}

void MemorySpool::keep(const std::string& key, Visitor visitor) {
  greylist_.erase(key);
  const auto alike = [&](const auto& entry) {
    return (entry.second.passes > 0) == (visitor.passes > 0);
  };
  while (static_cast<std::size_t>(std::ranges::count_if(greylist_, alike)) >=
         max_greylist_rows_ / 2) {
    auto first = greylist_.end();
    for (auto at = greylist_.begin(); at != greylist_.end(); ++at) {
      const bool sooner = first == greylist_.end() || at->second.expires < first->second.expires;
      if (alike(*at) && sooner) first = at;
    }
    greylist_.erase(first);
  }
  greylist_.emplace(key, visitor);
}

std::size_t MemorySpool::greylist_rows() const {
  const std::lock_guard lock(mutex_);
  return greylist_.size();
}

base::Task<std::expected<ports::GreylistAnswer, SpoolError>> MemorySpool::greylist(
    ports::GreylistKey key, ports::GreylistRules rules, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (const auto failed = failure()) co_return std::unexpected(*failed);
  const auto network = visitor(key.network, now);
  if (network && network->passes >= rules.trusted_after) {
    keep(key.network, {network->at, now + rules.remember, network->passes});
    co_return ports::GreylistAnswer::TrustedNetwork;
  }
  const auto sender = visitor(key.sender, now);
  if (!sender) {
    keep(key.sender, {now, now + rules.retry_window, 0});
    co_return ports::GreylistAnswer::First;
  }
  if (sender->passes > 0) {
    keep(key.sender, {sender->at, now + rules.remember, 1});
    co_return ports::GreylistAnswer::Known;
  }
  if (now - sender->at < rules.delay) co_return ports::GreylistAnswer::TooSoon;
  keep(key.sender, {sender->at, now + rules.remember, 1});
  if (!network || now - network->at >= rules.delay) {
    keep(key.network, {now, now + rules.remember, network ? network->passes + 1 : 1});
  }
  co_return ports::GreylistAnswer::Passed;
}

base::Task<std::expected<std::uint64_t, SpoolError>> MemorySpool::awaiting(
    std::vector<std::string> addresses) {
  const std::lock_guard lock(mutex_);
  std::uint64_t most = 0;
  for (const std::string& address : addresses) most = std::max(most, count_awaiting(address));
  co_return most;
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
MemorySpool::awaiting_copies(std::optional<ports::AwaitingCopy> after, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  const auto place = [](const ports::AwaitingCopy& copy) {
    return std::tuple(copy.awaits, copy.id, copy.index);
  };
  std::vector<ports::AwaitingCopy> copies;
  for (const auto& row : rows({})) {
    const mail::Route& route = row.recipient.route;
    const ports::AwaitingCopy copy{route.awaits, row.message.id, route.index, route.target};
    if (!route.awaits.empty() && (!after || place(copy) > place(*after))) copies.push_back(copy);
  }
  std::ranges::sort(copies, {}, place);
  if (copies.size() > limit)
    copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(limit), copies.end());
  co_return copies;
}

base::Task<std::expected<std::uint64_t, SpoolError>> MemorySpool::release(
    std::vector<ports::AwaitingCopy> copies, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (const auto failed = failure()) co_return std::unexpected(*failed);
  std::uint64_t released = 0;
  for (const ports::AwaitingCopy& copy : copies) {
    const auto found = messages_.find(copy.id);
    if (found == messages_.end()) continue;
    for (auto& recipient : found->second.queued.recipients) {
      if (recipient.route.index != copy.index || recipient.route.awaits.empty()) continue;
      recipient.route.awaits.clear();
      recipient.state = mail::RecipientState::Waiting;
      recipient.next_due = now;
      recipient.released_at = now;
      ++released;
    }
  }
  co_return released;
}

base::Task<std::expected<std::vector<ports::QueueRow>, SpoolError>> MemorySpool::list(
    ports::QueueFilter filter, std::optional<ports::QueueCursor> cursor, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<ports::QueueRow> page;
  for (const auto& row : rows(filter)) {
    if (page.size() < limit && after(row, cursor)) page.push_back(row);
  }
  co_return page;
}

base::Task<std::expected<std::vector<ports::AttemptRow>, SpoolError>> MemorySpool::attempts(
    mail::MessageId id) {
  const std::lock_guard lock(mutex_);
  const auto found = messages_.find(id);
  co_return found == messages_.end() ? std::vector<ports::AttemptRow>() : found->second.history;
}

base::Task<std::expected<std::uint64_t, SpoolError>> MemorySpool::change(ports::QueueFilter filter,
                                                                         ports::QueueAction action,
                                                                         base::WallTime now) {
  using mail::RecipientState;
  const std::lock_guard lock(mutex_);
  std::uint64_t changed = 0;
  for (const auto& row : rows(filter)) {
    const auto state = row.recipient.state;
    if (action == ports::QueueAction::Release && state != RecipientState::Held) continue;
    if (action == ports::QueueAction::Hold && state != RecipientState::Waiting) continue;
    for (auto& recipient : messages_.at(row.message.id).queued.recipients) {
      if (recipient.route.index != row.recipient.route.index) continue;
      const bool leaves = state == RecipientState::Held && (action == ports::QueueAction::Release ||
                                                            action == ports::QueueAction::Retry);
      if (leaves) recipient.released_at = now;
      recipient.state = action == ports::QueueAction::Drop   ? RecipientState::Failed
                        : action == ports::QueueAction::Hold ? RecipientState::Held
                                                             : RecipientState::Waiting;
      recipient.next_due = now;
      recipient.route.awaits.clear();
    }
    ++changed;
    remove_if_done(row.message.id);
  }
  co_return changed;
}

base::Task<std::expected<ports::QueueTotals, SpoolError>> MemorySpool::totals() {
  const std::lock_guard lock(mutex_);
  ports::QueueTotals sum{.messages = messages_.size(), .waiting = 0, .held = 0, .bytes = 0};
  for (const auto& [id, stored] : messages_) {
    sum.bytes += stored.queued.message.size;
    for (const auto& recipient : stored.queued.recipients) {
      sum.waiting += recipient.state == mail::RecipientState::Waiting ? 1 : 0;
      sum.held += recipient.state == mail::RecipientState::Held ? 1 : 0;
    }
  }
  co_return sum;
}

}  // namespace relay::fakes
