// The content of one message on its way in: cut into chunks for the queue, hashed, and its header
// kept. Memory is constant whatever the size: one chunk and one header block, both capped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/message_check.hpp"
#include "relay/base/sha256.hpp"
#include "relay/inbound/byte_budget.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

class Intake {
 public:
  /// `check`, when given, is told of the header, and outlives this. Authentication-Results fields
  /// that pretend to be of `authserv_id` are taken away, unless that is "".
  Intake(ports::IntakeQueue& queue, ByteBudget& budget, mail::MessageId id,
         auth::MessageCheck* check, std::string authserv_id);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();  ///< forgets the draft, unless keep() was called

  /// Takes content, un-stuffed, in order. After a fault it takes nothing any more.
  void take(std::string_view content);

  /// True when store_chunk() should be awaited before more is taken.
  bool chunk_ready() const { return chunk_.size() >= ports::kChunkOctets; }

  /// The content has come to its end; to be called once, before any question about the whole.
  void end();

  /// Gives one full chunk to the queue. An error becomes the fault.
  base::Task<> store_chunk();

  /// Why this message cannot be accepted: header over its cap, memory budget used up, or the
  /// queue failed.
  const std::optional<smtp::Reply>& fault() const { return fault_; }

  const mail::MessageId& id() const { return id_; }

  std::uint64_t size() const { return size_; }  ///< octets kept

  /// The header block, up to and with the CRLF before the empty line. Complete at the end only.
  const std::string& header_block() const { return header_; }

  // After end().

  /// 32 octets.
  const std::string& content_sha256() const { return content_sha256_; }

  const auth::dkim::BodyHashes& body_hashes() const { return body_hashes_; }

  /// Relaxed, whole: for our own signatures.
  const std::string& body_hash() const { return body_hashes_.digest(own_body_hash_); }

  /// The content behind the chunks that the queue has.
  std::string release_rest() { return std::move(chunk_); }

  /// The draft has become a message, or may have: it is not ours to discard any more.
  void keep() { kept_ = true; }

 private:
  bool reserve_for(std::size_t octets);
  void take_header(std::string_view content);
  void complete_header();
  void remove_forged();
  void blame(smtp::Reply reply);

  ports::IntakeQueue& queue_;
  ByteShare share_;
  const mail::MessageId id_;
  auth::MessageCheck* const check_;
  const std::string authserv_id_;
  std::string chunk_;  ///< content not yet with the queue
  std::string header_;
  bool header_complete_ = false;
  std::uint32_t stored_chunks_ = 0;
  std::uint64_t size_ = 0;
  base::Sha256 content_hash_;  ///< of what is kept, from the end of the header on
  std::string content_sha256_;
  auth::dkim::BodyHashes body_hashes_;
  const std::size_t own_body_hash_ = body_hashes_.want(auth::dkim::Canon::Relaxed);
  std::optional<smtp::Reply> fault_;
  bool kept_ = false;
};

/// What the client hears when the queue fails.
smtp::Reply reply_for(ports::SpoolError error);

}  // namespace relay::inbound
