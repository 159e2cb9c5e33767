#include "relay/spool/message_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "relay/spool/rows.hpp"

namespace relay::spool {

MessageReader::MessageReader(Connection& connection, Contents& contents)
    : contents_(contents),
      select_message_(connection.raw(),
                      fmt::format("SELECT {} FROM message WHERE id = ?1", kMessageColumns).c_str()),
      select_copy_(
          connection.raw(),
          fmt::format("SELECT {} FROM recipient WHERE id = ?1 AND idx = ?2", kRecipientColumns)
              .c_str()),
      select_copies_(
          connection.raw(),
          fmt::format("SELECT {} FROM recipient WHERE id = ?1 ORDER BY idx", kRecipientColumns)
              .c_str()) {}

std::optional<mail::QueuedMessage> MessageReader::message(const mail::MessageId& id) {
  const Use use(select_message_);
  select_message_.bind_blob(1, blob_of(id));
  if (!select_message_.step()) return std::nullopt;
  mail::QueuedMessage queued = message_from(select_message_);
  contents_.read_fields(queued.message);
  return queued;
}

std::optional<mail::QueuedMessage> MessageReader::load(const mail::MessageId& id,
                                                       std::vector<std::uint16_t> indices) {
  std::ranges::sort(indices);
  const auto repeated = std::ranges::unique(indices);
  indices.erase(repeated.begin(), repeated.end());
  std::vector<mail::QueuedRecipient> copies;
  for (const std::uint16_t index : indices) {
    const Use use(select_copy_);
    select_copy_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{index});
    if (select_copy_.step()) copies.push_back(recipient_from(select_copy_));
  }
  if (copies.empty()) return std::nullopt;
  auto queued = message(id);
  if (queued) queued->recipients = std::move(copies);
  return queued;
}

std::optional<mail::QueuedMessage> MessageReader::load_whole(const mail::MessageId& id) {
  auto queued = message(id);
  if (!queued) return std::nullopt;
  const Use use(select_copies_);
  select_copies_.bind_blob(1, blob_of(id));
  while (select_copies_.step()) {
    try {
      queued->recipients.push_back(recipient_from(select_copies_));
    } catch (const DamagedValue&) {  // NOLINT(bugprone-empty-catch): damaged rows are left out
    }
  }
  return queued;
}

}  // namespace relay::spool
