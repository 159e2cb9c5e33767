// Any division gives the same content; clean content is written with one end, and read again
// unchanged.
#include "relay/smtp/data_reader.hpp"
#include "relay/smtp/dot_stuffer.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

namespace {

struct Read {
  std::string content;
  bool finished = false;
  smtp::ContentFault fault = smtp::ContentFault::None;
};

Read read_whole(std::string_view octets) {
  smtp::DataReader reader({.content = 1 << 20, .line = 1000});
  Read read;
  reader.feed(octets, [&](std::string_view span) { read.content += span; });
  read.finished = reader.finished();
  read.fault = reader.fault();
  return read;
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  smtp::DataReader reader({.content = 1 << 20, .line = 1000});
  std::string content;
  fuzz::in_pieces(input, [&](std::string_view piece) {
    if (!reader.finished()) reader.feed(piece, [&](std::string_view span) { content += span; });
  });
  const Read whole = read_whole(input.substr(input.size() / 4));
  require(reader.finished() == whole.finished, "the end does not depend on the division");
  require(reader.fault() == whole.fault, "nor does the fault");
  if (whole.fault != smtp::ContentFault::None) return;
  require(content == whole.content, "nor does the content");
  if (!whole.finished) return;
  smtp::DotStuffer stuffer;
  std::string wire;
  require(stuffer.put(content, wire) && stuffer.finish(wire), "clean content can be written");
  const Read again = read_whole(wire);
  require(again.finished && again.fault == smtp::ContentFault::None, "it ends once");
  require(again.content == content, "and is read as it was");
  smtp::DataReader last({});
  require(last.feed(wire, [](std::string_view) {}) == wire.size(), "at its very end");
}
