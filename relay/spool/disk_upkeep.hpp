// Checkpoints the write-ahead log and watches the free space of the disk. For the writer's thread
// only. Throws DatabaseError if the disk cannot be trusted any more; not to be called after that.
#pragma once

#include <cstdint>
#include <string>

#include "relay/spool/content_file.hpp"

namespace relay::spool {

/// After such an error nothing stored can be relied on.
bool is_fatal(int code);

class DiskUpkeep {
 public:
  /// `min_free`: octets of free disk below which no mail is accepted.
  DiskUpkeep(Connection& connection, ContentFile& content, std::string path,
             std::uint64_t min_free);
  DiskUpkeep(const DiskUpkeep&) = delete;
  DiskUpkeep& operator=(const DiskUpkeep&) = delete;

  bool is_low();

  enum class Round : std::uint8_t { Busy, AfterOrder, Idle };

  /// True if look_round() would checkpoint the log. After an order a shorter log counts as long,
  /// because its pages lie far apart, so a checkpoint of many would take long; if idle, any log
  /// does.
  bool is_log_long(Round round) const;

  /// Checkpoints such a log; if idle, tidies the files, too.
  void look_round(Round round);

  /// Frees the reserve: the disk is full, but a delivery must be recorded.
  void use_reserve();

  /// Checkpoints the whole log; nothing is written after that.
  void finish();

 private:
  void fold_log_in();
  std::uint64_t log_octets() const;   ///< not yet in the database
  std::uint64_t free_inside() const;  ///< octets of unused pages

  Connection& connection_;
  ContentFile& content_;
  const std::string path_;
  const std::uint64_t min_free_;
  std::int64_t log_pages_ = 0;
};

}  // namespace relay::spool
