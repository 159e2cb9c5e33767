// Runs one check to its end.
#pragma once

#include <boost/asio/io_context.hpp>

#include "relay/auth/spf/check.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth::spf {

/// "ann@example.org", "" for the null sender; a text without "@" is a domain.
inline std::optional<Sender> sender(std::string_view mail_from) {
  if (mail_from.empty()) return std::nullopt;
  const auto at = mail_from.rfind('@');
  if (at == std::string_view::npos) return Sender{.domain = std::string(mail_from)};
  return Sender{std::string(mail_from.substr(0, at)), std::string(mail_from.substr(at + 1))};
}

inline Evaluation run_check(ports::Resolver& resolver, Query query) {
  fakes::FakeClock clock;
  boost::asio::io_context io;
  return support::run_task(io, check(resolver, clock, std::move(query)));
}

}  // namespace relay::auth::spf
