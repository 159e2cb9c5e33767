// The fallback of an alias (guarantee "A fallback stands by"): its copies form a group with the
// alias's other copies and stand by until all others have failed or none was delivered in time.
// Until then no failure is reported, because the fallback may still deliver. Writing functions run
// inside a transaction.
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

  /// What happened in a group.
  struct Events {
    bool failure = false;   ///< a copy failed, not ended by the operator
    bool lateness = false;  ///< a copy has waited too long
  };

  struct Decision {
    std::optional<ports::TakeOver> taken_over;
    bool is_over = false;  ///< the fallback is not needed or cannot help: failures are reported
  };

  /// Whether the fallback of the group can still take over.
  bool stands_by(const mail::MessageId& id, std::int64_t group);

  /// 0: the copy has no group, or does not exist.
  std::int64_t group_of(const mail::CopyId& copy);

  /// Decides by the rows as they are stored. Precondition: stands_by().
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
