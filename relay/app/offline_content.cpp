#include "relay/app/offline_content.hpp"

#include <limits>

#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/read_buffer.hpp"

namespace relay::app {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

base::Task<std::expected<void, ports::SpoolError>> OfflineContent::NoQueue::append(mail::MessageId,
                                                                                   std::uint32_t,
                                                                                   std::string) {
  co_return std::expected<void, ports::SpoolError>();
}

base::Task<std::expected<ports::CommitProof, ports::SpoolError>> OfflineContent::NoQueue::commit(
    ports::NewMessage) {
  co_return std::unexpected(ports::SpoolError::Unavailable);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
OfflineContent::NoQueue::accepted_within(std::chrono::milliseconds, std::size_t) {
  co_return std::unexpected(ports::SpoolError::Unavailable);
}

OfflineContent::OfflineContent(OfflineLookups& lookups, const inbound::Policy& policy,
                               mail::MessageId id, auth::MessageCheck& check)
    : lookups_(lookups),
      memory_(lookups.clock()),
      intake_(
          queue_, memory_.open({}, {.total = std::numeric_limits<std::uint64_t>::max()}), id,
          [&check](const mail::Header&) { return &check; }, policy.forgeable_ids(nullptr),
          policy.limits.max_header),
      reader_({.content = policy.limits.max_size, .line = policy.limits.max_line}) {}

std::optional<smtp::Reply> OfflineContent::take(std::string_view content) {
  lookups_.await(read(content));
  intake_.end();
  return inbound::content_objection(reader_.fault(), intake_);
}

/// As a client sends it after DATA (RFC 5321 §4.5.2), whatever else is wrong with it.
base::Task<> OfflineContent::read(std::string_view content) {
  bool is_line_whole = true;
  while (!content.empty()) {
    if (content.starts_with('.')) co_await feed(".");
    const std::size_t end = content.find(kLineEnd);
    is_line_whole = end != std::string_view::npos;
    const std::string_view line =
        is_line_whole ? content.substr(0, end + kLineEnd.size()) : content;
    co_await feed(line);
    content.remove_prefix(line.size());
  }
  if (!is_line_whole) co_await feed(kLineEnd);
  co_await feed(".\r\n");
}

/// In pieces, so that no chunk of the intake grows beyond its size.
base::Task<> OfflineContent::feed(std::string_view wire) {
  while (!wire.empty()) {
    const std::string_view piece = wire.substr(0, inbound::ReadBuffer::kOctets);
    reader_.feed(piece, [this](std::string_view span) { intake_.take(span); });
    wire.remove_prefix(piece.size());
    if (intake_.chunk_ready()) co_await intake_.store_chunk();
  }
}

}  // namespace relay::app
