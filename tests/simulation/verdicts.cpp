#include "tests/simulation/verdicts.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "tests/simulation/random.hpp"
#include "tests/simulation/text_hash.hpp"

namespace relay::simulation {

namespace {

std::string_view word(Event::What what) {
  switch (what) {
    case Event::What::Accepted:
      return "accepted";
    case Event::What::Dialled:
      return "dialled host";
    case Event::What::NotConnected:
      return "not connected";
    case Event::What::HandshakeDone:
      return "encrypted";
    case Event::What::HandshakeFailed:
      return "handshake failed";
    case Event::What::Mail:
      return "MAIL, transaction";
    case Event::What::Rcpt:
      return "RCPT";
    case Event::What::Dot:
      return "dot, not taken";
    case Event::What::Taken:
      return "dot, taken";
    case Event::What::Said:
      return "said";
    case Event::What::Closed:
      return "client closed";
    case Event::What::Recorded:
      return "recorded, state";
    case Event::What::TooLate:
      return "recorded too late, state";
    case Event::What::PutOff:
      return "put off for ms";
    case Event::What::Notice:
      return "notice owed";
    case Event::What::Report:
      return "DSN";
    case Event::What::Verb:
      return "verb";
    case Event::What::Incident:
      return "incident";
    case Event::What::Violation:
      return "VIOLATION";
  }
  return "";
}

}  // namespace

void Verdicts::note(Event::What what, CopyName copy, std::uint32_t connection, std::int64_t number,
                    std::string_view text) {
  Event event{.at_ms = clock_.since_start_ms().count(),
              .what = what,
              .copy = copy,
              .connection = connection,
              .number = static_cast<std::int32_t>(number)};
  const std::size_t kept = std::min(text.size(), event.text.size() - 1);
  std::copy_n(text.begin(), kept, event.text.begin());
  std::uint64_t mixed = fingerprint_ ^ static_cast<std::uint64_t>(event.at_ms);
  mixed = splitmix(mixed) ^ (std::uint64_t{copy.message} << 32U) ^
          (std::uint64_t{copy.index} << 16U) ^ static_cast<std::uint64_t>(what);
  mixed = splitmix(mixed) ^ (std::uint64_t{connection} << 32U) ^
          static_cast<std::uint32_t>(event.number);
  fingerprint_ = splitmix(mixed);
  if (aloud_) std::fputs((line(event) + '\n').c_str(), stdout);
  if (events_.size() < kKept) {
    events_.push_back(event);
  } else {
    events_[noted_ % kKept] = event;
  }
  ++noted_;
}

void Verdicts::violate(Rule rule, CopyName copy, std::string text) {
  note(Event::What::Violation, copy, 0, static_cast<std::int64_t>(rule), name(rule));
  if (violations_.size() >= 8) return;
  violations_.push_back({rule, clock_.since_start_ms().count(), copy, std::move(text)});
}

std::string Verdicts::line(const Event& event) const {
  std::string text = fmt::format("{:>10}.{:03} ", event.at_ms / 1000, event.at_ms % 1000);
  if (event.copy != kNoCopy)
    text += fmt::format("copy {}-{} ", event.copy.message, event.copy.index);
  if (event.connection != 0) text += fmt::format("connection {} ", event.connection);
  return text + fmt::format("{} {} {}", word(event.what), event.number, event.text.data());
}

std::string Verdicts::trace(CopyName copy) const {
  std::set<std::uint32_t> connections;
  for (const Event& event : events_) {
    if (event.copy == copy && event.connection != 0) connections.insert(event.connection);
  }
  std::string text;
  const std::size_t first = noted_ > kKept ? noted_ % kKept : 0;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[(first + i) % events_.size()];
    const bool about_all = event.copy == kNoCopy && event.connection == 0;
    const bool of_copy = event.copy == copy;
    const bool of_connection = event.copy == kNoCopy && connections.contains(event.connection);
    if (about_all || of_copy || of_connection || copy == kNoCopy) text += line(event) + '\n';
  }
  return text;
}

std::string_view name(Rule rule) {
  constexpr std::array<std::string_view, 32> kNames{
      "protocol",
      "stranger",
      "behind us",
      "wrong source",
      "misdirected",
      "delivered untaken",
      "foreign reply",
      "taken twice",
      "ends twice",
      "failed without cause",
      "failed after fall-back",
      "no fall-back",
      "DSN without cause",
      "DSN unpaid",
      "DSN too often",
      "second delay notice",
      "left after verb",
      "verb miscounts",
      "verb late",
      "paused left",
      "too early",
      "limit exceeded",
      "dot cut short",
      "starved",
      "host not asked",
      "too many hosts",
      "memory bound",
      "queue not empty",
      "lost",
      "never quiet",
      "stop hangs",
      "task crashed",
  };
  return kNames[static_cast<std::size_t>(rule)];
}

}  // namespace relay::simulation
