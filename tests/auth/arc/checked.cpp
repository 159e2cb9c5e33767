#include "tests/auth/arc/checked.hpp"

#include <fmt/format.h>

#include "relay/auth/arc/verifier.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth::arc {

namespace {

base::Task<bool> fetch(Verification& verification, ports::Resolver& resolver) {
  co_await verification.fetch_keys(resolver, support::soon());
  co_await verification.fetch_older_keys(resolver, support::soon());
  co_return true;
}

}  // namespace

mail::ArcVerdict checked(std::string_view message, fakes::FakeResolver& resolver) {
  const std::size_t header = mail::header_length(message).value_or(message.size());
  const std::string_view body = message.substr(std::min(header + 2, message.size()));
  dkim::BodyHashes hashes;
  Verification verification(mail::Header(std::string(message.substr(0, header))), hashes);
  boost::asio::io_context io;
  support::run_task(io, fetch(verification, resolver));
  for (std::size_t at = 0, piece = 1; at < body.size(); at += piece, piece = piece * 3 % 997) {
    hashes.update(body.substr(at, piece));
  }
  hashes.finish();
  return verification.finish(hashes, fakes::FakeClock::kStart);
}

mail::ArcVerdict checked(std::string_view message, std::string_view zone) {
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(clock, zone);
  return checked(message, resolver);
}

std::string key_line(std::string_view name, std::string_view record) {
  return fmt::format("{} TXT \"{}\"\n", name, record);
}

}  // namespace relay::auth::arc
