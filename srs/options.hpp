// How an SRS domain makes addresses, and the families of addresses there are.
#pragma once

#include <cstddef>

namespace srs {

enum class Format { Strong, Classic };

struct Options {
  Format format = Format::Strong;
  char separator = '=';                 ///< after the tag SRS0 or SRS1: '=', '+' or '-'
  std::size_t strong_hash_length = 8;   ///< base32 characters, at least 8 (40 bits)
  std::size_t classic_hash_length = 4;  ///< base64 characters of hashes made in classic format
  std::size_t classic_hash_min = 4;     ///< shortest classic hash accepted; at most the length
  int max_age_days = 21;
  bool always_rewrite = false;  ///< wrap senders of our own SRS domain, too
  bool unwrap_own = true;       ///< an SRS1 of ours around an SRS0 of ours is reversed in one step
};

enum class Family { Strong, Classic, Token, Message, Exim, SrsJs, SenderRewritingScheme };

}  // namespace srs
