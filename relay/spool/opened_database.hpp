// Opens the queue's database and makes it ready for use: durable settings, checked after an unclean
// end, migrated, without the drafts of the last run.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "relay/spool/shrink.hpp"
#include "relay/spool/tables.hpp"

namespace relay::spool {

/// Facts for the start-up log, as read back from the database.
struct OpenReport {
  std::string sqlite_version;
  std::string journal_mode;
  std::string synchronous;  ///< "2": FULL
  std::string locking_mode;
  bool clean = true;  ///< the last process closed the queue
  /// After an unclean end: when the queue was last written to, if known.
  std::optional<base::WallTime> last_write;
  std::int64_t drafts_removed = 0;
  std::uint64_t messages = 0;
  std::uint64_t given_back = 0;  ///< octets by which the database is shorter than it was
};

struct OpenedDatabase {
  std::unique_ptr<Connection> connection;
  std::unique_ptr<ContentFile> content;
  std::unique_ptr<Transactions> transactions;
  std::unique_ptr<Tables> tables;
  OpenReport report;

  /// The error is a sentence: in use, damaged, of a newer program, or without durable settings. The
  /// clock must outlive the result.
  static std::expected<OpenedDatabase, std::string> open(const std::string& path,
                                                         const ports::Clock& clock,
                                                         const TableLimits& limits = {},
                                                         std::uint64_t shrink_above = kShrinkAbove);
};

}  // namespace relay::spool
