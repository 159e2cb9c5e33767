#include "relay/inbound/intake.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "relay/auth/results/forged.hpp"
#include "relay/inbound/read_buffer.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

namespace {

constexpr std::size_t kSmallestBuffer = 8UL * 1024;
// A full chunk and what one read may bring on top.
constexpr std::size_t kFullBuffer = ports::kChunkOctets + ReadBuffer::kOctets;

smtp::Reply too_much_at_once() {
  return {452, {4, 3, 1}, "Too much mail at once, try again later"};
}

}  // namespace

smtp::Reply reply_for(ports::SpoolError error) {
  using ports::SpoolError;
  switch (error) {
    case SpoolError::Full:
      return {452, {4, 3, 1}, "Insufficient storage, try again later"};
    case SpoolError::TokenQuota:
      return {452, {4, 3, 1}, "Too many long senders from your host"};
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

Intake::Intake(ports::IntakeQueue& queue, ByteBudget& budget, mail::MessageId id,
               auth::MessageCheck* check, std::string authserv_id)
    : queue_(queue), share_(budget), id_(id), check_(check), authserv_id_(std::move(authserv_id)) {}

Intake::~Intake() {
  if (!kept_ && stored_chunks_ > 0) queue_.discard(id_);
}

void Intake::blame(smtp::Reply reply) {
  if (fault_) return;
  fault_ = std::move(reply);
  chunk_ = {};
  header_ = {};
}

bool Intake::reserve_for(std::size_t octets) {
  // Grow by doubling, as the string would, but counted.
  const std::size_t wanted = chunk_.size() + octets;
  if (wanted <= chunk_.capacity()) return true;
  const std::size_t doubled = std::bit_ceil(std::max(wanted, kSmallestBuffer));
  const std::size_t capacity =
      doubled < ports::kChunkOctets ? doubled : std::max(wanted, kFullBuffer);
  if (!share_.grow_to(capacity + header_.size())) return false;
  chunk_.reserve(capacity);
  return true;
}

void Intake::take(std::string_view content) {
  if (fault_) return;
  if (!reserve_for(content.size())) return blame(too_much_at_once());
  chunk_ += content;
  size_ += content.size();
  if (!header_complete_) return take_header(content);
  content_hash_.update(content);
  body_hashes_.update(content);
}

void Intake::take_header(std::string_view content) {
  const std::size_t known = header_.size();
  if (!share_.grow_to(chunk_.capacity() + known + content.size())) return blame(too_much_at_once());
  header_ += content;
  // A header of no fields: the content begins with the empty line.
  const bool no_fields = header_.starts_with("\r\n");
  const std::size_t search_from = known < 3 ? 0 : known - 3;
  const std::size_t end = no_fields ? 0 : header_.find("\r\n\r\n", search_from);
  const bool found = end != std::string::npos;
  const std::size_t header_octets = found && !no_fields ? end + 2 : 0;
  if ((found ? header_octets : header_.size()) > mail::kMaxHeaderOctets) {
    return blame({552, {5, 3, 4}, "Header too large"});
  }
  if (!found) return;
  header_.resize(header_octets);
  complete_header();
  body_hashes_.update(content.substr(header_octets + 2 - known));
}

void Intake::complete_header() {
  header_complete_ = true;
  if (check_ != nullptr) check_->on_header(header_, body_hashes_);
  remove_forged();
  content_hash_.update(chunk_);  // nothing of it is with the queue yet: a chunk holds any header
}

void Intake::remove_forged() {
  if (authserv_id_.empty()) return;
  std::size_t removed = 0;
  std::string kept = auth::results::without_forged(header_, authserv_id_, &removed);
  if (removed == 0) return;
  chunk_.replace(0, header_.size(), kept);
  size_ -= header_.size() - kept.size();
  header_ = std::move(kept);
}

void Intake::end() {
  if (fault_) return;
  if (!header_complete_) complete_header();  // a message may be a header alone
  body_hashes_.finish();
  content_sha256_ = content_hash_.finish();
}

base::Task<> Intake::store_chunk() {
  if (fault_) co_return;
  // The chunk on its way to the disk counts as well as the one being filled.
  if (!share_.grow_to(kFullBuffer + ports::kChunkOctets + header_.size())) {
    blame(too_much_at_once());
    co_return;
  }
  std::string rest;
  rest.reserve(kFullBuffer);
  rest.append(chunk_, ports::kChunkOctets);
  chunk_.resize(ports::kChunkOctets);
  std::string full = std::exchange(chunk_, std::move(rest));
  const auto stored = co_await queue_.append(id_, stored_chunks_++, std::move(full));
  if (!stored) blame(reply_for(stored.error()));
}

}  // namespace relay::inbound
