#include "relay/spool/messages.hpp"

#include "relay/spool/rows.hpp"

namespace relay::spool {

namespace {

// Messages in open_from_; more than can be under way.
constexpr std::size_t kMostRemembered = 10'000;

}  // namespace

Messages::Messages(Connection& connection, Contents& contents, Tally& tally)
    : connection_(connection),
      contents_(contents),
      tally_(tally),
      known_(connection.raw(), "SELECT 1 FROM message WHERE id = ?1"),
      size_(connection.raw(), "SELECT size FROM message WHERE id = ?1"),
      insert_message_(connection.raw(),
                      "INSERT INTO message (id, received_ms, size, flags, reverse_path, client, "
                      "client_port, helo, tls_version, tls_cipher, message_id, sha256, "
                      "header_octets) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13) "
                      "ON CONFLICT DO NOTHING"),
      insert_copy_(
          connection.raw(),
          "INSERT INTO recipient (id, idx, original, target, destination, reverse_path, "
          "state, next_due_ms, handling, reason, awaits, ended, at_ms, status, reply, "
          "fallback_group, attempts, flags, released_ms, host, address, port, tls, stage, code) "
          "VALUES "
          "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,0,0,0,'','',0,'',0,0)"),
      first_open_(connection.raw(),
                  "SELECT idx FROM recipient WHERE id = ?1 AND idx >= ?2 AND idx <> ?3 AND "
                  "state NOT IN (2, 3, 4) ORDER BY idx LIMIT 1"),
      delete_copies_(connection.raw(), "DELETE FROM recipient WHERE id = ?1"),
      delete_attempts_(connection.raw(), "DELETE FROM attempt WHERE id = ?1"),
      delete_message_(connection.raw(), "DELETE FROM message WHERE id = ?1") {}

bool Messages::is_known(const mail::MessageId& id) {
  const Use use(known_);
  known_.bind_blob(1, blob_of(id));
  return known_.step();
}

bool Messages::insert(const ports::NewMessage& message, const ContentCut& cut, base::WallTime now) {
  if (!insert_message(message, now)) return false;
  for (const mail::Route& route : message.routes) {
    insert_copy(message.message.id, route, ms_of(now));
  }
  contents_.put(message, cut);
  return true;
}

bool Messages::insert_message(const ports::NewMessage& message, base::WallTime now) {
  const mail::AcceptedMessage& m = message.message;
  const std::string sender = m.reverse_path.to_string();
  insert_message_.bind_blob(1, blob_of(m.id))
      .bind(2, ms_of(now))
      .bind(3, static_cast<std::int64_t>(m.size))
      .bind(4, flags_of(m))
      .bind(5, sender)
      .bind(6, m.client.address)
      .bind(7, std::int64_t{m.client.port})
      .bind(8, m.client.helo)
      .bind(9, m.client.tls_version)
      .bind(10, m.client.tls_cipher)
      .bind(11, m.message_id)
      .bind_blob(12, message.content_sha256)
      .bind(13, std::int64_t{m.header_octets});
  insert_message_.run();
  if (connection_.changes() == 0) return false;
  tally_.message_in(static_cast<std::int64_t>(m.size));
  return true;
}

void Messages::insert_copy(const mail::MessageId& id, const mail::Route& route, std::int64_t due) {
  const mail::RecipientState state = mail::state_on_entry(route);
  const std::string original = route.original.to_string();
  const std::string target = route.target.to_string();
  const std::string sender = route.reverse_path.to_string();
  const mail::DeliveryAttempt attempt = mail::attempt_on_entry(route, time_of(due));
  const std::string status = attempt.at == base::WallTime{} ? "" : attempt.status.to_string();
  insert_copy_.bind_blob(1, blob_of(id))
      .bind(2, std::int64_t{route.index})
      .bind(3, original)
      .bind(4, target)
      .bind(5, route.target.domain().folded())
      .bind(6, sender)
      .bind(7, static_cast<std::int64_t>(state))
      .bind(8, due)
      .bind(9, handling_of(route))
      .bind(10, route.handling.reason)
      .bind(11, route.awaits)
      .bind(12, static_cast<std::int64_t>(route.ended))
      .bind(13, ms_of(attempt.at))
      .bind(14, status)
      .bind(15, attempt.text)
      .bind(16, std::int64_t{route.group});
  insert_copy_.run();
  tally_.copies_in(state);
}

void Messages::remove(const mail::MessageId& id, std::optional<mail::RecipientState> open) {
  std::int64_t octets = 0;
  {
    const Use use(size_);
    size_.bind_blob(1, blob_of(id));
    if (size_.step()) octets = size_.number(0);
  }
  remove_sized(id, octets, open);
}

void Messages::remove_sized(const mail::MessageId& id, std::int64_t octets,
                            std::optional<mail::RecipientState> open) {
  contents_.remove(id);
  for (Statement* statement : {&delete_copies_, &delete_attempts_, &delete_message_}) {
    statement->bind_blob(1, blob_of(id));
    statement->run();
  }
  if (connection_.changes() > 0) tally_.message_out(octets);
  if (open) tally_.copies_out(*open);
  open_from_.erase(id);
}

bool Messages::has_open(const mail::MessageId& id) {
  constexpr std::int64_t kNoCopy = -1;
  const auto first = open_besides(id, kNoCopy);
  if (first) open_begins_at(id, *first);
  return first.has_value();
}

std::optional<std::int64_t> Messages::open_besides(const mail::MessageId& id, std::int64_t index) {
  const Use use(first_open_);
  first_open_.bind_blob(1, blob_of(id)).bind(2, open_from(id)).bind(3, index);
  if (!first_open_.step()) return std::nullopt;
  return first_open_.number(0);
}

std::int64_t Messages::open_from(const mail::MessageId& id) const {
  const auto found = open_from_.find(id);
  return found == open_from_.end() ? 0 : found->second;
}

void Messages::open_begins_at(const mail::MessageId& id, std::int64_t index) {
  if (index == 0) return;
  if (open_from_.size() >= kMostRemembered) open_from_.clear();
  open_from_.insert_or_assign(id, index);
}

}  // namespace relay::spool
