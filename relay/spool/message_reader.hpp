// Messages as they are read again: to be delivered, to be told of, to be known when they come a
// second time.
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

  /// With those of the copies that are there; nullopt: none is. Throws DamagedValue.
  std::optional<mail::QueuedMessage> load(const mail::MessageId& id,
                                          std::vector<std::uint16_t> indices);

  /// With all copies, those that have ended, too, but for those whose rows are damaged: they keep
  /// nobody from hearing of the others.
  std::optional<mail::QueuedMessage> load_whole(const mail::MessageId& id);

  struct Accepted {
    mail::MessageId id;
    std::string client;
    std::string reverse_path;
    std::vector<std::string> forward_paths;
    std::string content_sha256;
  };

  /// The newest, at most limit. Ids begin with their time: no other index is needed.
  std::vector<Accepted> accepted_since(base::WallTime since, std::size_t limit);

 private:
  std::optional<mail::AcceptedMessage> message(const mail::MessageId& id);

  Contents& contents_;
  Statement select_message_, select_copy_, select_copies_, accepted_, paths_;
};

}  // namespace relay::spool
