// A whole session, cut into reads as the input says. As many messages are stored as were answered
// with 250, stored content is clean, and every session ends.
#include "tests/fuzz/oracle.hpp"
#include "tests/inbound/house.hpp"

using namespace relay;
using fuzz::require;

namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  inbound::Limits limits;
  limits.max_size = 4096;
  limits.max_recipients = 5;
  inbound::House house(limits, true);
  std::vector<std::string> segments;
  fuzz::in_pieces(input, [&](std::string_view piece) { segments.emplace_back(piece); });
  const auto wire = house.talk(std::move(segments));
  require(wire->closed, "the session has ended");
  require(count(wire->sent, "queued as ") == house.queue.stored.size(), "a 250 for each commit");
  require(house.queue.drafts.empty(), "no draft is left");
  require(wire->sent.starts_with("220 ") || wire->sent.starts_with("421 "), "the banner is first");
  for (const auto& stored : house.queue.stored) {
    require(stored.content.size() <= limits.max_size, "the size limit holds");
    require(!stored.message.routes.empty(), "somebody is to receive it");
    for (std::size_t i = 0; i < stored.content.size(); ++i) {
      const char c = stored.content[i];
      require(c != '\0', "no NUL is stored");
      require(c != '\n' || (i > 0 && stored.content[i - 1] == '\r'), "no bare LF is stored");
      require(c != '\r' || stored.content.substr(i, 2) == "\r\n", "no bare CR is stored");
    }
  }
}
