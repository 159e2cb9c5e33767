#include "relay/smtp/data_reader.hpp"

#include "relay/smtp/octet_scan.hpp"

namespace relay::smtp {

std::string_view describe(ContentFault fault) {
  switch (fault) {
    case ContentFault::None:
      return "no fault";
    case ContentFault::BareLineEnd:
      return "CR or LF without the other is not allowed";
    case ContentFault::Nul:
      return "NUL is not allowed";
    case ContentFault::LineTooLong:
      return "Line too long";
    case ContentFault::TooLarge:
      return "Message exceeds the size limit";
  }
  return "malformed content";
}

void DataReader::count_line(std::size_t octets) {
  line_ += octets;
  if (line_ > limits_.line) blame(ContentFault::LineTooLong);
}

DataReader::Piece DataReader::scan(std::string_view octets) {
  if (state_ == State::Line || state_ == State::LineStart) return scan_lines(octets);
  return settle(octets.front());
}

DataReader::Piece DataReader::settle(char octet) {
  const State held = state_;
  if (held == State::Dot) {
    state_ = octet == '\r' ? State::DotCr : State::Line;
    return {{}, octet == '\r' ? 1U : 0U};
  }
  if (octet == '\n') {
    if (held == State::DotCr) {
      state_ = State::Finished;
      return {{}, 1};
    }
    state_ = State::LineStart;
    line_ = 0;
    return {"\r\n", 1};  // the CR stood at the end of an earlier chunk
  }
  blame(ContentFault::BareLineEnd);
  state_ = State::Line;
  return {};
}

DataReader::Piece DataReader::scan_lines(std::string_view octets) {
  const char* const begin = octets.data();
  const char* const end = begin + octets.size();
  const auto span_to = [&](const char* stop) {
    return octets.substr(0, static_cast<std::size_t>(stop - begin));
  };

  const char* at = begin;
  while (at != end) {
    if (state_ == State::LineStart && *at == '.') {
      state_ = State::Dot;
      return {span_to(at), span_to(at).size() + 1};
    }
    state_ = State::Line;
    const char* const hit = find_line_octet(at, end);
    count_line(static_cast<std::size_t>(hit - at));
    if (hit == end) break;
    if (*hit == '\r' && hit + 1 == end) {
      state_ = State::LineCr;
      return {span_to(hit), octets.size()};
    }
    if (*hit == '\r' && hit[1] == '\n') {
      state_ = State::LineStart;
      line_ = 0;
      at = hit + 2;
    } else {
      // No line begins after it: a dot behind a bare LF is an ordinary dot.
      blame(*hit == '\0' ? ContentFault::Nul : ContentFault::BareLineEnd);
      at = hit + 1;
    }
  }
  return {octets, octets.size()};
}

}  // namespace relay::smtp
