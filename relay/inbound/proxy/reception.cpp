#include "relay/inbound/proxy/reception.hpp"

#include <chrono>

#include <fmt/format.h>

namespace relay::inbound::proxy {

namespace {

constexpr std::chrono::seconds kHeaderSpan{10};
// Fewer octets do not tell a PROXY header from something else.
constexpr std::size_t kTelling = 6;

smtp::Reply refusal_of(Fault fault, const std::string& peer) {
  if (fault == Fault::NoHeader) {
    return {421,
            {4, 7, 0},
            fmt::format("{} must begin with a PROXY header: [[listener]] proxy names it", peer)};
  }
  return {
      421,
      {4, 7, 0},
      fault == Fault::TooLong ? "The PROXY header is too long" : "The PROXY header is malformed"};
}

}  // namespace

base::Task<std::expected<Header, std::optional<smtp::Reply>>> receive_header(
    ClientConnection& connection) {
  using Answer = std::expected<Header, std::optional<smtp::Reply>>;
  const base::Deadline deadline = connection.after(kHeaderSpan);
  while (true) {
    const auto header = parse_header(connection.buffer().pending());
    if (header) {
      connection.buffer().consume(header->octets);
      co_return Answer(*header);
    }
    if (header.error() != Fault::Incomplete) {
      co_return Answer(std::unexpect, refusal_of(header.error(), connection.address().to_string()));
    }
    const bool more = co_await connection.read_more(deadline);
    if (!more) co_return Answer(std::unexpect, std::nullopt);
  }
}

std::optional<smtp::Reply> objection_to_header(std::string_view octets, const std::string& peer) {
  if (octets.size() < kTelling || !begins_header(octets)) return std::nullopt;
  return smtp::Reply(
      421, {4, 7, 0},
      fmt::format("No PROXY protocol for {}: no [[listener]] proxy of this address names it",
                  peer));
}

}  // namespace relay::inbound::proxy
