// The content of one message as it arrives: parsed, hashed, and cut into chunks for the queue. Uses
// constant memory whatever the size of the message: at most two chunks and a header (guarantee
// "Memory does not grow with mail").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/sha256.hpp"
#include "relay/inbound/content_reader.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/mail/header.hpp"
#include "relay/ports/content_chunk.hpp"
#include "relay/ports/spool_error.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::ports {
class IntakeQueue;
}

namespace relay::inbound {

class Intake {
 public:
  /// `memory`: the message's share of the memory for content. `on_header`, `authserv_ids`: see
  /// ContentReader. `max_header`: octets before the body, including the empty line.
  Intake(ports::IntakeQueue& queue, FairShare::Holding memory, mail::MessageId id,
         ContentReader::OnHeader on_header, std::vector<std::string> authserv_ids,
         std::size_t max_header = mail::kMaxHeaderOctets);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();  ///< discards the draft, unless keep() was called

  /// Takes content without dot-stuffing, in order. Ignores everything after a fault.
  void take(std::string_view content);

  /// True when store_chunk() should be awaited before more is taken.
  bool chunk_ready() const { return chunk_.size() >= ports::kChunkOctets; }

  /// The content has ended. To be called once, before any question about the whole.
  void end();

  /// Gives one full chunk to the queue and frees its memory. An error becomes the fault.
  base::Task<> store_chunk();

  /// Why this message cannot be accepted: the header is too large, there is no memory for it (in
  /// total, or of the client's share), or the queue failed. nullopt: no fault.
  const std::optional<smtp::Reply>& fault() const { return fault_; }

  // For FairShare: the wait for the client begins, and ends with so many octets.

  void begins_to_wait() { memory_.begins_to_wait(); }

  void has_come(std::uint64_t octets) { memory_.has_come(octets); }

  const mail::MessageId& id() const { return id_; }

  std::uint64_t size() const { return size_; }  ///< octets of content that are stored

  /// Before end(), and after a fault, only its header is of use, if it has one.
  const ContentReader& reader() const { return reader_; }

  // After end(), and only without a fault:

  /// 32 octets.
  const std::string& content_sha256() const { return content_sha256_; }

  /// The content after the chunks that the queue already has.
  std::string release_rest() { return std::move(chunk_); }

  /// The draft has become, or may have become, a message: the destructor must not discard it.
  void keep() { kept_ = true; }

 private:
  // False: there is no room, which has become the fault.
  bool grow_to(std::size_t octets);
  bool reserve_for(std::size_t octets);
  void shrink();
  void take_header(std::string_view content);
  void keep_header();
  void blame(smtp::Reply reply);

  ports::IntakeQueue& queue_;
  FairShare::Holding memory_;
  std::size_t held_ = 0;  ///< octets of memory_
  const mail::MessageId id_;
  const std::size_t max_header_;
  ContentReader reader_;
  std::string chunk_;  ///< content not given to the queue yet
  std::uint32_t stored_chunks_ = 0;
  std::uint64_t size_ = 0;
  base::Sha256 content_hash_;  ///< of the content as stored, with the replaced header
  std::string content_sha256_;
  std::optional<smtp::Reply> fault_;
  bool kept_ = false;
};

/// The reply to the client when the queue fails.
smtp::Reply reply_for(ports::SpoolError error);

}  // namespace relay::inbound
