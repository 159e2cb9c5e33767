#include "relay/inbound/intake.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "relay/inbound/read_buffer.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/intake_queue.hpp"

namespace relay::inbound {

namespace {

constexpr std::size_t kSmallestBuffer = 8UL * 1024;
constexpr std::size_t kEmptyLine = 2;  // octets
// The queue gets no chunk before the header has ended, for the header may still be replaced: so one
// chunk must hold any header.
static_assert(mail::kMaxHeaderOctets <= ports::kChunkOctets);
// A full chunk, and what one more read may add.
constexpr std::size_t kFullBuffer = ports::kChunkOctets + ReadBuffer::kOctets;

/// This host is full only if all of the memory is used up; a client that has used up its own share
/// hears that.
smtp::Reply too_much_at_once(ShareLevel used_up) {
  if (used_up != ShareLevel::Everybody) {
    return {452, {4, 7, 1}, "Too much mail at once from your network, try again later"};
  }
  return {452, {4, 3, 1}, "Too much mail at once, try again later"};
}

}  // namespace

smtp::Reply reply_for(ports::SpoolError error) {
  using ports::SpoolError;
  switch (error) {
    case SpoolError::Full:
      return {452, {4, 3, 1}, "Insufficient storage, try again later"};
    case SpoolError::Unconfirmed:
      return {450, {4, 7, 1}, "A target has not confirmed that it wants this mail"};
    case SpoolError::Poisoned:
      return {421, {4, 3, 0}, "Storage failure, try again later"};
    case SpoolError::Stopping:
      return {421, {4, 3, 2}, "Shutting down, try again later"};
    case SpoolError::Unavailable:
      return {450, {4, 3, 0}, "Queue not available, try again later"};
    default:
      return {451, {4, 3, 0}, "Local error, try again later"};
  }
}

Intake::Intake(ports::IntakeQueue& queue, FairShare::Holding memory, mail::MessageId id,
               ContentReader::OnHeader on_header, std::vector<std::string> authserv_ids,
               std::size_t max_header)
    : queue_(queue),
      memory_(std::move(memory)),
      id_(id),
      max_header_(max_header),
      reader_(std::move(on_header), std::move(authserv_ids)) {}

Intake::~Intake() {
  if (!kept_ && stored_chunks_ > 0) queue_.discard(id_);
}

void Intake::blame(smtp::Reply reply) {
  if (fault_) return;
  fault_ = std::move(reply);
  std::string().swap(chunk_);  // assigning "" would keep the capacity
  shrink();
}

bool Intake::grow_to(std::size_t octets) {
  if (octets <= held_) return true;
  const auto held = memory_.hold(octets);
  if (!held) {
    blame(too_much_at_once(held.error()));
    return false;
  }
  held_ = octets;
  return true;
}

/// Reduces the memory held to what is in use.
void Intake::shrink() {
  held_ = std::min(held_, chunk_.capacity() + reader_.header_octets());
  const auto held = memory_.hold(held_);
  static_cast<void>(held);  // holding less always succeeds, unless the share was taken away
}

bool Intake::reserve_for(std::size_t octets) {
  // Grow by doubling like std::string, but count the memory first.
  const std::size_t wanted = chunk_.size() + octets;
  if (wanted <= chunk_.capacity()) return true;
  const std::size_t doubled = std::bit_ceil(std::max(wanted, kSmallestBuffer));
  const std::size_t capacity =
      doubled < ports::kChunkOctets ? doubled : std::max(wanted, kFullBuffer);
  if (!grow_to(capacity + reader_.header_octets())) return false;
  chunk_.reserve(capacity);
  return true;
}

void Intake::take(std::string_view content) {
  if (fault_) return;
  if (!reserve_for(content.size())) return;
  chunk_ += content;
  size_ += content.size();
  if (!reader_.has_header()) return take_header(content);
  content_hash_.update(content);
  reader_.take(content);
}

void Intake::take_header(std::string_view content) {
  const std::size_t most = chunk_.capacity() + reader_.header_octets() + content.size();
  if (!grow_to(most)) return;
  reader_.take(content);
  // A header that is not complete yet is followed by at least one more octet; a complete one by the
  // empty line.
  const std::size_t came = std::max(reader_.header_octets(), reader_.replaced_octets());
  const std::size_t least = came + (reader_.has_header() ? kEmptyLine : 1);
  if (least > max_header_) return blame({552, {5, 3, 4}, "Header too large"});
  if (reader_.has_header()) keep_header();
}

/// Nothing is stored yet: the header is still within the first chunk.
void Intake::keep_header() {
  const std::size_t replaced = reader_.replaced_octets();
  if (replaced > 0) {
    const std::string& kept = reader_.header()->block();
    chunk_.replace(0, replaced, kept);
    size_ -= replaced - kept.size();
  }
  content_hash_.update(chunk_);
}

void Intake::end() {
  if (fault_) return;
  const bool had_header = reader_.has_header();
  reader_.end();
  if (!had_header) keep_header();
  content_sha256_ = content_hash_.finish();
}

base::Task<> Intake::store_chunk() {
  if (fault_) co_return;
  // Two chunks are in memory: the one being written and the one being filled.
  if (!grow_to(kFullBuffer + ports::kChunkOctets + reader_.header_octets())) co_return;
  std::string rest;
  rest.reserve(kFullBuffer);
  rest.append(chunk_, ports::kChunkOctets);
  chunk_.resize(ports::kChunkOctets);
  std::string full = std::exchange(chunk_, std::move(rest));
  const auto stored = co_await queue_.append(id_, stored_chunks_++, std::move(full));
  if (!stored) co_return blame(reply_for(stored.error()));
  shrink();
  memory_.makes_progress();
}

}  // namespace relay::inbound
