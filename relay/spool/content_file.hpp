// Big content, stored beside the database: whole chunks in slots of a separate file. In the
// database every octet would be written twice, checksummed by the log, and read back to be freed,
// all by the single writer thread.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "relay/ports/content_chunk.hpp"
#include "relay/spool/transactions.hpp"

namespace relay::spool {

/// The database (table slot) says which slot holds which chunk; this class knows only which slots
/// are in use. Durability depends on the order: content is on the disk before the commit that
/// refers to its slot, and a slot is not reused before the commit that gave it up is on the disk.
/// Reads and writes through SQLite's VFS, like the database. Every function throws DatabaseError.
class ContentFile final : public Participant {
 public:
  static constexpr std::size_t kSlotOctets = ports::kChunkOctets;

  /// The file beside `database`; created if it does not exist.
  explicit ContentFile(const std::string& database);
  ContentFile(const ContentFile&) = delete;
  ContentFile& operator=(const ContentFile&) = delete;

  static std::string path_of(const std::string& database) { return database + "-content"; }

  /// At start: a row of the database refers to this slot.
  void adopt(std::int64_t slot);

  /// Writes to the first free slot and returns it; on the disk only after sync(). Precondition:
  /// kSlotOctets octets.
  std::int64_t write(std::string_view octets);

  /// The octets of the file there, zeros beyond its end. The caller checks the digest.
  std::string read(std::int64_t slot);

  void give_up(std::int64_t slot);

  /// Syncs everything written so far.
  void sync();

  void committed(bool on_disk) override;
  void rolled_back() override;

  /// Truncates the file after the last slot in use.
  void shrink();

  /// Punches holes for free slots, so that one message that stays long does not keep the space of
  /// all that came before it. Without effect if the file system does not support it.
  void make_holes();

  bool is_empty() const { return in_use_ == 0; }

 private:
  struct Close {
    void operator()(sqlite3_file* file) const;
  };

  void free(std::int64_t slot);

  const std::string path_;  ///< SQLite keeps a pointer to it
  std::unique_ptr<sqlite3_file, Close> file_;
  std::vector<bool> used_;
  std::vector<bool> hollow_;       ///< free, and a hole in the file
  std::set<std::int64_t> shared_;  ///< by two rows, through damage: not freed by this process
  std::size_t in_use_ = 0;
  std::size_t first_free_ = 0;  ///< no slot before it is free
  bool unsynced_ = false;
  std::vector<std::int64_t> taken_;     ///< in this transaction
  std::vector<std::int64_t> given_up_;  ///< in this transaction
  std::vector<std::int64_t> leaving_;   ///< given up by commits not yet on the disk
};

}  // namespace relay::spool
