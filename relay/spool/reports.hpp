// Reads what a DSN is made of, and replaces notices by the DSNs.
#pragma once

#include <expected>
#include <vector>

#include "relay/spool/message_reader.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"

namespace relay::spool {

class Reports {
 public:
  Reports(MessageReader& reader, Messages& messages, Notices& notices)
      : reader_(reader), messages_(messages), notices_(notices) {}

  /// NotFound: no notices. Throws DamagedValue.
  std::expected<ports::Notices, ports::SpoolError> owed(const mail::MessageId& id);

  /// Inside a transaction. `cuts`: one for each DSN. NotFound: the notices were reported already.
  std::expected<void, ports::SpoolError> pay(const ports::Report& report,
                                             const std::vector<ContentCut>& cuts,
                                             base::WallTime now);

 private:
  MessageReader& reader_;
  Messages& messages_;
  Notices& notices_;
};

}  // namespace relay::spool
