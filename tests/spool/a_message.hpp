// A message for one recipient, as the queue is given it.
#pragma once

#include <string>

#include "relay/base/sha256.hpp"
#include "relay/ports/spool.hpp"

namespace relay::spool {

inline const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

/// All of the content is last_chunk: whoever appends some of it before leaves the rest there.
inline ports::NewMessage a_message(const std::string& content) {
  ports::NewMessage made;
  made.message.id = mail::MessageId::generate(kNow);
  made.message.received_at = kNow;
  made.message.size = content.size();
  made.content_sha256 = base::sha256(content);
  made.last_chunk = content;
  made.first_due = kNow;
  made.routes.push_back({.index = 0,
                         .original = mail::ForwardPath(*mail::Mailbox::parse("i@fwd.example")),
                         .target = *mail::Mailbox::parse("a@x.example"),
                         .reverse_path = mail::ReversePath::null()});
  return made;
}

}  // namespace relay::spool
