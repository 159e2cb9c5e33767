// Copies of aliases that have a fallback: they are a group, and the fallback's copies stand by in
// it until all others have failed or nothing was delivered in time. Until then nobody is told of a
// failure, for the fallback may still take the mail. Inside a transaction where it writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"

namespace relay::spool {

class Fallbacks {
 public:
  Fallbacks(Connection& connection, Messages& messages, Notices& notices, Tally& tally);

  /// What has happened in a group.
  struct Events {
    bool failure = false;   ///< a copy failed; not by the operator's will
    bool lateness = false;  ///< a copy waits for too long
  };

  struct Decision {
    std::optional<ports::TakeOver> taken_over;
    bool is_over = false;  ///< the fallback is not needed, or cannot help: failures count as usual
  };

  /// The fallback of the group may still take over.
  bool stands_by(const mail::MessageId& id, std::int64_t group);

  /// 0: none, or no such copy.
  std::int64_t group_of(const mail::CopyId& copy);

  /// Looks at the rows as they stand now. Precondition: stands_by().
  Decision decide(const mail::MessageId& id, std::int64_t group, Events events, base::WallTime now);

 private:
  struct Row {
    std::uint16_t index = 0;
    std::int64_t state = 0;
    std::int64_t flags = 0;
    std::string target;
    std::string alias;
  };

  std::vector<Row> rows_of(const mail::MessageId& id, std::int64_t group);
  ports::TakeOver take_over(const mail::MessageId& id, const std::vector<Row>& rows,
                            base::WallTime now);
  void stand_down(const mail::MessageId& id, std::int64_t group, const std::vector<Row>& rows,
                  base::WallTime now);

  Messages& messages_;
  Notices& notices_;
  Tally& tally_;
  Statement stands_by_, group_of_, select_, replace_, use_, told_, delete_;
};

}  // namespace relay::spool
