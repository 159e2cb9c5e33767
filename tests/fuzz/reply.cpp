// Any division gives the same replies; every limit holds.
#include "relay/smtp/reply_parser.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

namespace {

std::string replies_of(smtp::ReplyParser& parser) {
  std::string all;
  for (;;) {
    const auto next = parser.next();
    if (!next) return all + "error " + std::string(describe(next.error()));
    if (!*next) return all;
    const smtp::RemoteReply& reply = **next;
    require(reply.code >= 200 && reply.code <= 599, "a code is in range");
    require(reply.lines.size() <= smtp::kMaxReplyLines, "so many lines");
    require(reply.text().size() <= smtp::kMaxReplyTextOctets, "so much text");
    require(!reply.status || reply.status->klass == reply.code / 100, "of one class");
    all += std::to_string(reply.code) + reply.text() + '\n';
  }
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  smtp::ReplyParser pieces;
  std::string in_pieces;
  fuzz::in_pieces(input, [&](std::string_view piece) {
    if (in_pieces.find("error ") != std::string::npos) return;
    pieces.feed(piece);
    in_pieces += replies_of(pieces);
  });
  smtp::ReplyParser whole;
  whole.feed(input.substr(input.size() / 4));
  const std::string at_once = replies_of(whole);
  // A limit may be met earlier or later, but the replies before it are the same.
  const auto ends_badly = [](const std::string& all) { return all.find("error ") != all.npos; };
  if (!ends_badly(in_pieces) && !ends_badly(at_once)) {
    require(in_pieces == at_once, "the replies do not depend on the division");
  }
}
