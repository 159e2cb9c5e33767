// The log folded into the database before it grows long, and the room on the disk. Of the writer's
// thread; throws DatabaseError when the disk cannot be trusted any more, and is not called after
// that.
#pragma once

#include <cstdint>
#include <string>

#include "relay/spool/content_file.hpp"

namespace relay::spool {

/// Nothing that was promised can be relied on any more.
bool is_fatal(int code);

class DiskUpkeep {
 public:
  /// `min_free`: octets of disk below which nothing more is accepted.
  DiskUpkeep(Connection& connection, ContentFile& content, std::string path,
             std::uint64_t min_free);
  DiskUpkeep(const DiskUpkeep&) = delete;
  DiskUpkeep& operator=(const DiskUpkeep&) = delete;

  bool is_low();

  /// A long log at once; a short one, and what else can be tidied, when there is time.
  void look_round(bool idle);

  /// The disk is full, and something must be written all the same.
  void use_reserve();

  /// Nothing more comes: folds all of the log in.
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
