// A whole message through the verifier, its body in pieces of a size of choice.
#pragma once

#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/auth/dkim/verifier.hpp"
#include "relay/mail/header.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth::dkim {

inline constexpr std::int64_t kTestNow = 1'795'500'000;

inline base::WallTime at_unix(std::int64_t seconds) {
  return base::WallTime(std::chrono::seconds(seconds));
}

inline std::string_view body_of(std::string_view message) {
  const std::size_t header = mail::header_length(message).value_or(message.size());
  return header + 2 <= message.size() ? message.substr(header + 2) : std::string_view();
}

/// `dns` may be any resolver; it is asked before the body comes.
inline std::vector<mail::DkimVerdict> judged(std::string_view message, ports::Resolver& dns,
                                             std::int64_t now = kTestNow,
                                             std::size_t piece = 4096) {
  const std::size_t header = mail::header_length(message).value_or(message.size());
  BodyHashes hashes;
  Verification verification(mail::Header(std::string(message.substr(0, header))), hashes);
  boost::asio::io_context io;
  const auto fetched = [&]() -> base::Task<bool> {
    for (std::size_t i = 0; i < verification.lookups(); ++i) {
      co_await verification.fetch_key(i, dns, relay::support::soon());
    }
    co_return true;
  };
  relay::support::run_task(io, fetched());
  std::string_view body = body_of(message);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    hashes.update(body.substr(0, piece));
  }
  hashes.finish();
  return verification.finish(hashes, at_unix(now));
}

}  // namespace relay::auth::dkim
