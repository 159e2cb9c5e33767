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
  Reports(Connection& connection, MessageReader& reader, Messages& messages, Notices& notices,
          Tally& tally);

  /// NotFound: no notices. Throws DamagedValue.
  std::expected<ports::Notices, ports::SpoolError> owed(const mail::MessageId& id);

  /// Inside a transaction. Removes the notices of copies that cannot be read, alone or because
  /// their message cannot, and holds those copies, so that the operator sees that they failed. The
  /// other notices of the message can then be reported.
  void hold_unreadable(const mail::MessageId& id);

  /// Inside a transaction. `cuts`: one for each DSN. NotFound: the notices were reported already.
  std::expected<void, ports::SpoolError> pay(const ports::Report& report,
                                             const std::vector<ContentCut>& cuts,
                                             base::WallTime now);

 private:
  bool is_readable(const mail::CopyId& copy);

  Connection& connection_;
  MessageReader& reader_;
  Messages& messages_;
  Notices& notices_;
  Tally& tally_;
  Statement hold_failed_;
};

}  // namespace relay::spool
