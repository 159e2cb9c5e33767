// Big content beside the database: whole chunks lie in slots of a file of their own. In the
// database each octet would be written twice, summed by the log, and read back to be freed, all by
// the one thread that everybody waits for.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/transactions.hpp"

namespace relay::spool {

/// Which slot holds what stands in the database (table slot); here is known only which are in use.
/// What was promised stays true in this order: content is on the disk before the commit that speaks
/// of its slot, and a slot is not written again before the commit that gave it up is on the disk.
/// Reads and writes through SQLite's VFS, as the database does. Everything throws DatabaseError.
class ContentFile final : public Participant {
 public:
  static constexpr std::size_t kSlotOctets = ports::kChunkOctets;

  /// The file beside `database`; made when missing.
  explicit ContentFile(const std::string& database);
  ContentFile(const ContentFile&) = delete;
  ContentFile& operator=(const ContentFile&) = delete;

  static std::string path_of(const std::string& database) { return database + "-content"; }

  /// At start: the database speaks of this slot.
  void adopt(std::int64_t slot);

  /// Into the first free slot, which it returns; not on the disk before sync().
  /// Precondition: kSlotOctets octets.
  std::int64_t write(std::string_view octets);

  /// What the disk has there, zeros where it has nothing: a digest must tell.
  std::string read(std::int64_t slot);

  void give_up(std::int64_t slot);

  /// Everything written so far is on the disk.
  void sync();

  void committed(bool on_disk) override;
  void rolled_back() override;

  /// Cuts off what is free at the end.
  void shrink();

  /// Gives the disk what is free between others, too: one message that stays long must not keep the
  /// room of all that came before it. Where the file system cannot do that, it stays as it is.
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
  std::vector<bool> hollow_;       ///< free, and nothing on the disk
  std::set<std::int64_t> shared_;  ///< by damage: never freed while this process runs
  std::size_t in_use_ = 0;
  std::size_t first_free_ = 0;  ///< all before it are in use
  bool unsynced_ = false;
  std::vector<std::int64_t> taken_;     ///< in this transaction
  std::vector<std::int64_t> given_up_;  ///< in this transaction
  std::vector<std::int64_t> leaving_;   ///< given up in commits that are not on the disk yet
};

}  // namespace relay::spool
