// The content of one message on its way in: read in passing, hashed, and cut into chunks for the
// queue. Memory is constant whatever the size: one chunk and one header, both capped.
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
#include "relay/ports/intake_queue.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

class Intake {
 public:
  /// `memory`: what is held of all memory for content. `on_header` and `authserv_ids`: see
  /// ContentReader. `max_header` octets are taken before the body, the empty line included.
  Intake(ports::IntakeQueue& queue, FairShare::Holding memory, mail::MessageId id,
         ContentReader::OnHeader on_header, std::vector<std::string> authserv_ids,
         std::size_t max_header = mail::kMaxHeaderOctets);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();  ///< forgets the draft, unless keep() was called

  /// Takes content, un-stuffed, in order. After a fault it takes nothing any more.
  void take(std::string_view content);

  /// True when store_chunk() should be awaited before more is taken.
  bool chunk_ready() const { return chunk_.size() >= ports::kChunkOctets; }

  /// The content has come to its end; to be called once, before any question about the whole.
  void end();

  /// Gives one full chunk to the queue, and its memory back. An error becomes the fault.
  base::Task<> store_chunk();

  /// Why this message cannot be accepted: header over its cap, memory budget used up, or the
  /// queue failed.
  const std::optional<smtp::Reply>& fault() const { return fault_; }

  // The client is waited for, and has sent so many octets.

  void begins_to_wait() { memory_.begins_to_wait(); }

  void has_come(std::uint64_t octets) { memory_.has_come(octets); }

  const mail::MessageId& id() const { return id_; }

  std::uint64_t size() const { return size_; }  ///< octets kept

  // After end(), of what has no fault.

  const ContentReader& reader() const { return reader_; }

  /// 32 octets.
  const std::string& content_sha256() const { return content_sha256_; }

  /// The content behind the chunks that the queue has.
  std::string release_rest() { return std::move(chunk_); }

  /// The draft has become a message, or may have: it is not ours to discard any more.
  void keep() { kept_ = true; }

 private:
  bool grow_to(std::size_t octets);
  void shrink();
  bool reserve_for(std::size_t octets);
  void take_header(std::string_view content);
  void keep_header();
  void blame(smtp::Reply reply);

  ports::IntakeQueue& queue_;
  FairShare::Holding memory_;
  std::size_t held_ = 0;  ///< octets of memory
  const mail::MessageId id_;
  const std::size_t max_header_;
  ContentReader reader_;
  std::string chunk_;  ///< content not yet with the queue
  std::uint32_t stored_chunks_ = 0;
  std::uint64_t size_ = 0;
  base::Sha256 content_hash_;  ///< of what is kept, from the end of the header on
  std::string content_sha256_;
  std::optional<smtp::Reply> fault_;
  bool kept_ = false;
};

/// What the client hears when the queue fails.
smtp::Reply reply_for(ports::SpoolError error);

}  // namespace relay::inbound
