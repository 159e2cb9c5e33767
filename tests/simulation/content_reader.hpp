// Content as a server gets it: dot-stuffed lines until a lone dot (RFC 5321 §4.5.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulation/text_hash.hpp"

namespace relay::simulation {

class ContentReader {
 public:
  void begin() { *this = {}; }

  /// A line without its CRLF. True: it was the dot.
  bool take(std::string_view line);

  /// The part of the Message-ID between "<" and "@"; "": there is none.
  const std::string& message_id() const { return message_id_; }

  /// Hash of the octets behind the header, line ends included.
  std::uint64_t body_hash() const { return body_hash_; }

  std::uint64_t octets() const { return octets_; }

 private:
  bool in_body_ = false;
  std::string message_id_;
  std::uint64_t body_hash_ = text_hash({});
  std::uint64_t octets_ = 0;
};

}  // namespace relay::simulation
