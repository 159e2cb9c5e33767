// Content of the queue: chunks (those of big messages beside the database), drafts, and the header
// fields that we add in front.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "relay/ports/new_message.hpp"
#include "relay/ports/spool_error.hpp"
#include "relay/spool/chunk_digest.hpp"
#include "relay/spool/content_file.hpp"

namespace relay::spool {

/// How the content of a new message is split, with the digest of each piece.
struct ContentCut {
  struct Piece {
    std::uint32_t sequence = 0;
    std::size_t at = 0;  ///< offset in NewMessage::content
    std::size_t octets = 0;
    std::string digest;
  };

  std::uint32_t appended = 0;  ///< chunks stored by append() before
  std::vector<Piece> pieces;

  /// Error Corrupt: size and content do not fit together.
  static std::expected<ContentCut, ports::SpoolError> of(const ports::NewMessage& message);

  bool beside_database() const;  ///< some of the content is in the content file
};

/// Writing functions run inside a transaction. Every function throws DatabaseError.
class Contents {
 public:
  Contents(Connection& connection, ContentFile& file);

  /// Stores the next chunk, of kChunkOctets, of a draft. Does nothing if the chunk is stored
  /// already or the message has been accepted.
  void append(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk);
  void discard(const mail::MessageId& id);

  /// Whether there is a draft of exactly `chunks` chunks.
  bool is_draft(const mail::MessageId& id, std::uint32_t chunks);

  /// Stores the rest of the content and our header fields; the draft ends.
  void put(const ports::NewMessage& message, const ContentCut& cut);
  void remove(const mail::MessageId& id);

  /// The octets as read from the disk: is_sound() tells whether they are those accepted. No octets:
  /// the content ends before this chunk. Error Corrupt if a chunk is missing.
  std::expected<StoredChunk, ports::SpoolError> read(const mail::MessageId& id,
                                                     std::uint32_t sequence);

  /// Reads trace_fields, seal_fields and rewritten_head.
  void read_fields(mail::AcceptedMessage& message);

  std::int64_t remove_drafts();  ///< at start: those of the process before; returns how many
  void adopt_slots();            ///< at start, after remove_drafts()

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
