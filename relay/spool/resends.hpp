// By what the newest messages are known when a client sends them again.
#pragma once

#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/message.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// The rows stay when their messages leave the queue; the oldest go when there are too many.
class Resends {
 public:
  explicit Resends(Connection& connection);

  struct Kept {
    mail::MessageId id;
    std::string key;
  };

  void keep(const mail::MessageId& id, const std::string& key, base::WallTime now);

  /// Among the `limit` newest, the newest first.
  std::vector<Kept> since(base::WallTime since, std::size_t limit);

 private:
  Connection& connection_;
  Statement insert_, remove_, select_;
};

}  // namespace relay::spool
