// Reads content while it comes in, octets in passing: its header, once, for everybody who asks
// later, and the hashes of its body. Keeps the header and nothing else.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/message_check.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

class ContentReader {
 public:
  /// Called once, with the header as it came. The check that it returns, if any, is told of the
  /// header, and outlives the reader.
  using OnHeader = std::function<auth::MessageCheck*(const mail::Header&)>;

  /// Authentication-Results fields that pretend to be of one of `authserv_ids` are taken away.
  ContentReader(OnHeader on_header, std::vector<std::string> authserv_ids)
      : on_header_(std::move(on_header)), authserv_ids_(std::move(authserv_ids)) {}

  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;
  ~ContentReader() = default;

  /// The next octets, un-stuffed.
  void take(std::string_view content);

  /// The content has come to its end: a message may be a header alone.
  void end();

  /// The header is read. Until then it is in pieces, header_octets() of them.
  bool has_header() const { return header_ != nullptr; }

  std::size_t header_octets() const {
    return header_ ? header_->block().size() : header_block_.size();
  }

  // From has_header() on.

  /// Without what was forged in our name. Of a message none of whose lines before the first empty
  /// one is a field it is empty, and all that came is its body.
  const mail::HeaderPtr& header() const { return header_; }

  /// Octets at the begin of the content in whose place header()->block() is to be kept; 0: the
  /// content is kept as it came.
  std::size_t replaced_octets() const { return replaced_octets_; }

  /// What our own fields must end with, so that the content neither goes on with one of them nor
  /// is cut off from them: nothing, the name of a field whose value the first line becomes, or the
  /// empty line of a message that has no header.
  std::string_view joint() const;

  // From end() on.

  const auth::dkim::BodyHashes& body_hashes() const { return body_hashes_; }

  /// Relaxed, whole: for our own signatures.
  const std::string& body_hash() const { return body_hashes_.digest(own_body_hash_); }

 private:
  void complete_header();
  void remove_forged();

  const OnHeader on_header_;
  const std::vector<std::string> authserv_ids_;
  std::string header_block_;  ///< as far as it has come in; "" once it is complete
  mail::HeaderPtr header_;    ///< null until then
  bool headless_ = false;
  std::size_t replaced_octets_ = 0;
  auth::dkim::BodyHashes body_hashes_;
  const std::size_t own_body_hash_ = body_hashes_.want(auth::dkim::Canon::Relaxed);
};

}  // namespace relay::inbound
