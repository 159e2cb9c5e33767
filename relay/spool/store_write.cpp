#include <algorithm>

#include "relay/spool/rows.hpp"
#include "relay/spool/store.hpp"

namespace relay::spool {

namespace {

constexpr std::int64_t kMaxHistory = 50;  // attempts kept per copy

}  // namespace

bool Store::tokens_fit(const std::vector<mail::SenderToken>& tokens) {
  for (const mail::SenderToken& token : tokens) {
    {
      const Use known(token_known_);
      token_known_.bind(1, token.token);
      if (token_known_.step()) continue;
    }
    const Use client(token_count_);
    token_count_.bind(1, token.client);
    if (token_count_.step() && token_count_.number(0) >= limits_.per_client) return false;
    const Use total(token_total_);
    if (token_total_.step() && token_total_.number(0) >= limits_.total) return false;
  }
  return true;
}

std::expected<void, ports::SpoolError> Store::insert(const ports::NewMessage& message,
                                                     std::string_view digest) {
  if (!tokens_fit(message.tokens)) return std::unexpected(ports::SpoolError::TokenQuota);
  if (!awaiting_fits(message)) return std::unexpected(ports::SpoolError::Unconfirmed);
  if (last_sequence(message) > 0) content_.sync();
  insert_message(message, digest);
  insert_routes(message);
  for (const mail::SenderToken& token : message.tokens) {
    const std::string sender = token.reverse_path.to_string();
    insert_token_.bind(1, token.token)
        .bind(2, sender)
        .bind(3, ms_of(token.expires_at))
        .bind(4, token.client);
    insert_token_.run();
  }
  return {};
}

void Store::insert_message(const ports::NewMessage& message, std::string_view digest) {
  const mail::AcceptedMessage& m = message.message;
  const std::string sender = m.reverse_path.to_string();
  insert_message_.bind_blob(1, blob_of(m.id))
      .bind(2, ms_of(m.received_at))
      .bind(3, sender)
      .bind(4, flags_of(m))
      .bind(5, m.client.address)
      .bind(6, std::int64_t{m.client.port})
      .bind(7, m.client.helo)
      .bind(8, m.client.tls_version)
      .bind(9, m.client.tls_cipher)
      .bind_blob(10, m.trace_fields)
      .bind(11, static_cast<std::int64_t>(m.size))
      .bind_blob(12, message.content_sha256)
      .bind_blob(13, m.seal_fields)
      .bind_blob(14, m.rewritten_head)
      .bind(15, std::int64_t{m.header_octets});
  insert_message_.run();
  const std::uint32_t sequence = last_sequence(message);
  if (sequence > 0) {
    delete_draft_.bind_blob(1, blob_of(m.id));
    delete_draft_.run();
  }
  if (message.last_chunk.empty()) return;
  insert_chunk(m.id, sequence, {.octets = message.last_chunk, .digest = digest});
}

void Store::insert_routes(const ports::NewMessage& message) {
  for (const mail::Route& route : message.routes) {
    const std::string original = route.original.to_string();
    const std::string target = route.target.to_string();
    const std::string sender = route.reverse_path.to_string();
    insert_recipient_.bind_blob(1, blob_of(message.message.id))
        .bind(2, std::int64_t{route.index})
        .bind(3, original)
        .bind(4, target)
        .bind(5, route.target.domain().folded())
        .bind(6, sender)
        .bind(7, ms_of(message.first_due))
        .bind(8, static_cast<std::int64_t>(route.held ? mail::RecipientState::Held
                                                      : mail::RecipientState::Waiting))
        .bind(9, handling_of(route))
        .bind(10, route.handling.reason)
        .bind(11, route.awaits);
    insert_recipient_.run();
  }
}

/// Whether nothing of the message will be left: the common case, a copy for one recipient that was
/// delivered. Then his row need not be written once more before it goes.
bool Store::is_last(const ports::Update& update) {
  if (update.recipients.size() != 1 || !mail::is_final(update.recipients.front().state)) {
    return false;
  }
  const Use use(another_unfinished_);
  another_unfinished_.bind_blob(1, blob_of(update.id))
      .bind(2, std::int64_t{update.recipients.front().index});
  return !another_unfinished_.step();
}

bool Store::record(const ports::Update& update) {
  {
    const Use use(message_known_);
    message_known_.bind_blob(1, blob_of(update.id));
    if (!message_known_.step()) return false;
  }
  for (const ports::NewMessage& bounce : update.bounces) {
    // Has neither tokens nor who awaits.
    [[maybe_unused]] const auto stored = insert(bounce, last_chunk_digest(bounce));
  }
  if (is_last(update)) {
    remove(update.id);
    return true;
  }
  for (const ports::RecipientUpdate& recipient : update.recipients) {
    update_recipient(update.id, recipient);
  }
  if (remove_if_done(update.id)) return true;
  // History is for asking why a message waits: one that is gone needs none.
  for (const ports::RecipientUpdate& recipient : update.recipients) {
    keep_history(update.id, recipient);
  }
  return true;
}

void Store::update_recipient(const mail::MessageId& id, const ports::RecipientUpdate& update) {
  const std::string status = update.attempt.status.to_string();
  const std::int64_t flags =
      (update.warned ? kWarned : 0) | (update.possible_duplicate ? kPossibleDuplicate : 0);
  update_recipient_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{update.index})
      .bind(3, static_cast<std::int64_t>(update.state))
      .bind(4, std::int64_t{update.attempts})
      .bind(5, ms_of(update.next_due))
      .bind(6, flags);
  bind_attempt(update_recipient_, 7, update.attempt, status);
  update_recipient_.run();
}

void Store::keep_history(const mail::MessageId& id, const ports::RecipientUpdate& update) {
  const std::string status = update.attempt.status.to_string();
  insert_attempt_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{update.index})
      .bind(3, std::int64_t{update.attempts} % kMaxHistory);
  bind_attempt(insert_attempt_, 4, update.attempt, status);
  insert_attempt_.run();
}

bool Store::remove_if_done(const mail::MessageId& id) {
  {
    const Use use(unfinished_);
    unfinished_.bind_blob(1, blob_of(id));
    if (unfinished_.step()) return false;
  }
  remove(id);
  return true;
}

void Store::remove(const mail::MessageId& id) {
  give_up_slots(id);
  for (Statement* statement :
       {&delete_recipients_, &delete_chunks_, &delete_attempts_, &delete_message_}) {
    statement->bind_blob(1, blob_of(id));
    statement->run();
  }
}

std::uint64_t Store::change(const ports::QueueFilter& filter, ports::QueueAction action,
                            base::WallTime now) {
  const std::int64_t due = ms_of(now);
  std::vector<ports::QueueRow> rows;
  std::optional<ports::QueueCursor> cursor;
  std::uint64_t changed = 0;
  constexpr std::size_t kPage = 1000;
  // Collected first: an action moves rows within the very index the listing walks.
  do {
    auto page = list(filter, cursor, kPage);
    if (page.empty()) break;
    const auto& last = page.back();
    cursor = {last.recipient.next_due, last.message.id, last.recipient.route.index};
    std::ranges::move(page, std::back_inserter(rows));
  } while (rows.size() % kPage == 0);
  Statement set(
      connection_.raw(),
      "UPDATE recipient SET released_ms = iif(state = 1 AND ?3 = 0, max(0, ?4), released_ms), "
      "state = ?3, next_due_ms = max(0, ?4), awaits = '' WHERE id = ?1 AND idx = ?2");
  for (const ports::QueueRow& row : rows) {
    const auto state = row.recipient.state;
    const bool applies = action == ports::QueueAction::Release ? state == mail::RecipientState::Held
                         : action == ports::QueueAction::Hold
                             ? state == mail::RecipientState::Waiting
                             : !mail::is_final(state);
    if (!applies) continue;
    const auto next = action == ports::QueueAction::Drop   ? mail::RecipientState::Failed
                      : action == ports::QueueAction::Hold ? mail::RecipientState::Held
                                                           : mail::RecipientState::Waiting;
    set.bind_blob(1, blob_of(row.message.id))
        .bind(2, std::int64_t{row.recipient.route.index})
        .bind(3, static_cast<std::int64_t>(next))
        .bind(4, due);
    set.run();
    if (action == ports::QueueAction::Drop) remove_if_done(row.message.id);
    ++changed;
  }
  return changed;
}

void Store::rolled_back() {
  content_.rolled_back();
  greylist_.forget_counts();
}

void Store::remove_expired_tokens(base::WallTime now) {
  Statement statement(connection_.raw(),
                      "DELETE FROM token WHERE token IN (SELECT token FROM token "
                      "WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT 1000)");
  statement.bind(1, ms_of(now));
  statement.run();
}

}  // namespace relay::spool
