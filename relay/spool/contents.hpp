// Content of the queue: chunks, those of big messages beside the database, drafts, and the header
// fields of ours that go in front.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/chunk_digest.hpp"
#include "relay/spool/content_file.hpp"

namespace relay::spool {

/// Where the content of a new message is cut, with the digest of each piece.
struct ContentCut {
  struct Piece {
    std::uint32_t sequence = 0;
    std::size_t at = 0;  ///< in NewMessage::content
    std::size_t octets = 0;
    std::string digest;
  };

  std::uint32_t appended = 0;  ///< chunks that append() has taken before
  std::vector<Piece> pieces;

  /// Corrupt: size and content do not belong together.
  static std::expected<ContentCut, ports::SpoolError> of(const ports::NewMessage& message);

  bool beside_database() const;  ///< some of the content lies there
};

/// Inside a transaction where it writes. Everything throws DatabaseError.
class Contents {
 public:
  Contents(Connection& connection, ContentFile& file);

  /// The next chunk, of kChunkOctets, of a message that is not accepted yet. One that is there, or
  /// whose message has been accepted, is not stored again.
  void append(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk);
  void discard(const mail::MessageId& id);

  /// Whether there is a draft of so many chunks.
  bool is_draft(const mail::MessageId& id, std::uint32_t chunks);

  /// What is left of the content, and our fields; the draft is one no longer.
  void put(const ports::NewMessage& message, const ContentCut& cut);
  void remove(const mail::MessageId& id);

  /// The octets are what the disk gave: is_sound() tells whether they are those that were accepted.
  /// No octets: the content ends before. Error Corrupt when a chunk is missing.
  std::expected<StoredChunk, ports::SpoolError> read(const mail::MessageId& id,
                                                     std::uint32_t sequence);

  /// trace_fields, seal_fields and rewritten_head.
  void read_fields(mail::AcceptedMessage& message);

  std::int64_t remove_drafts();  ///< those of a process that is gone: at start; how many
  void adopt_slots();            ///< at start, after that

 private:
  void put_slot(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk);
  void put_row(const mail::AcceptedMessage& message, std::int64_t sequence, const Chunk& chunk);
  void give_up_slots(const mail::MessageId& id);

  Connection& connection_;
  ContentFile& file_;
  Statement message_known_, insert_draft_, delete_draft_, draft_chunks_, insert_chunk_;
  Statement delete_chunks_, insert_slot_, slot_known_, delete_slots_, select_chunk_, select_slot_;
  Statement select_end_, select_fields_, draft_chunks_out_, draft_slots_out_, drafts_out_;
  Statement slots_;
};

}  // namespace relay::spool
