#include "relay/inbound/intake.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "relay/inbound/read_buffer.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

namespace {

constexpr std::size_t kSmallestBuffer = 8UL * 1024;
// A full chunk and what one read may bring on top.
constexpr std::size_t kFullBuffer = ports::Spool::kChunkOctets + ReadBuffer::kOctets;

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
    case SpoolError::Poisoned:
      return {421, {4, 3, 0}, "Storage failure, try again later"};
    case SpoolError::Stopping:
      return {421, {4, 3, 2}, "Shutting down, try again later"};
    default:
      return {451, {4, 3, 0}, "Local error, try again later"};
  }
}

Intake::Intake(ports::Spool& spool, ByteBudget& budget, mail::MessageId id)
    : spool_(spool), share_(budget), id_(id) {}

Intake::~Intake() {
  if (!kept_ && stored_chunks_ > 0) spool_.discard(id_);
}

void Intake::blame(smtp::Reply reply) {
  if (fault_) return;
  fault_ = std::move(reply);
  chunk_ = {};
  header_ = {};
}

bool Intake::reserve_for(std::size_t octets) {
  // Grow by doubling, as the string would, but counted: X-3.
  const std::size_t wanted = chunk_.size() + octets;
  if (wanted <= chunk_.capacity()) return true;
  const std::size_t doubled = std::bit_ceil(std::max(wanted, kSmallestBuffer));
  const std::size_t capacity =
      doubled < ports::Spool::kChunkOctets ? doubled : std::max(wanted, kFullBuffer);
  if (!share_.grow_to(capacity + header_.size())) return false;
  chunk_.reserve(capacity);
  return true;
}

void Intake::take(std::string_view content) {
  if (fault_) return;
  if (!reserve_for(content.size())) return blame(too_much_at_once());
  chunk_ += content;
  size_ += content.size();
  content_hash_.update(content);
  const std::string_view body = header_complete_ ? content : take_header(content);
  if (!body.empty()) body_hashes_.update(body);
}

std::string Intake::finish_body_hash() {
  body_hashes_.finish();
  return body_hashes_.digest(own_body_hash_);
}

std::string_view Intake::take_header(std::string_view content) {
  const std::size_t known = header_.size();
  if (!share_.grow_to(chunk_.capacity() + known + content.size())) {
    blame(too_much_at_once());
    return {};
  }
  header_ += content;
  // A header of no fields: the content begins with the empty line.
  const bool no_fields = header_.starts_with("\r\n");
  const std::size_t search_from = known < 3 ? 0 : known - 3;
  const std::size_t end = no_fields ? 0 : header_.find("\r\n\r\n", search_from);
  if (end == std::string::npos) {
    if (header_.size() > mail::kMaxHeaderOctets) {
      blame({552, {5, 3, 4}, "Header too large"});
    }
    return {};
  }
  const std::size_t header_octets = no_fields ? 0 : end + 2;
  if (header_octets > mail::kMaxHeaderOctets) {
    blame({552, {5, 3, 4}, "Header too large"});
    return {};
  }
  header_.resize(header_octets);
  header_complete_ = true;
  return content.substr(header_octets + 2 - known);
}

base::Task<> Intake::store_chunk() {
  if (fault_) co_return;
  // The chunk on its way to the disk counts as well as the one being filled.
  if (!share_.grow_to(kFullBuffer + ports::Spool::kChunkOctets + header_.size())) {
    blame(too_much_at_once());
    co_return;
  }
  std::string rest;
  rest.reserve(kFullBuffer);
  rest.append(chunk_, ports::Spool::kChunkOctets);
  chunk_.resize(ports::Spool::kChunkOctets);
  std::string full = std::exchange(chunk_, std::move(rest));
  const auto stored = co_await spool_.append(id_, stored_chunks_++, std::move(full));
  if (!stored) blame(reply_for(stored.error()));
}

}  // namespace relay::inbound
