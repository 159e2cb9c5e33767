// Reads stored messages: for delivery and for DSNs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/spool/contents.hpp"

namespace relay::spool {

class MessageReader {
 public:
  MessageReader(Connection& connection, Contents& contents);

  /// The message with those of the copies that exist; nullopt: none exists. Throws DamagedValue.
  std::optional<mail::QueuedMessage> load(const mail::MessageId& id,
                                          std::vector<std::uint16_t> indices);

  /// The message with all copies, ended ones included. Damaged copies are left out, so that others
  /// can still be reported.
  std::optional<mail::QueuedMessage> load_whole(const mail::MessageId& id);

 private:
  /// Without copies.
  std::optional<mail::QueuedMessage> message(const mail::MessageId& id);

  Contents& contents_;
  Statement select_message_, select_copy_, select_copies_;
};

}  // namespace relay::spool
