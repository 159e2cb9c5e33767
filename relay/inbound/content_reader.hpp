// Reads content as it arrives, octets in passing: parses the header once for all later users and
// hashes the body. Keeps only the header.
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
  /// Called once, with the header as it arrived. If it returns a check, the check gets the header,
  /// and must outlive the reader.
  using OnHeader = std::function<auth::MessageCheck*(const mail::Header&)>;

  /// Authentication-Results fields that claim one of `authserv_ids` are removed.
  ContentReader(OnHeader on_header, std::vector<std::string> authserv_ids)
      : on_header_(std::move(on_header)), authserv_ids_(std::move(authserv_ids)) {}

  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;
  ~ContentReader() = default;

  /// The next octets, without dot-stuffing.
  void take(std::string_view content);

  /// The content has ended. A message without a body ends its header here.
  void end();

  /// The header is complete. Before that, header_octets() of it are buffered.
  bool has_header() const { return header_ != nullptr; }

  std::size_t header_octets() const {
    return header_ ? header_->block().size() : header_block_.size();
  }

  // Once has_header() is true:

  /// The header without Authentication-Results forged in our name. If no line before the first
  /// empty one is a field it has no fields, and the whole content is the body.
  const mail::HeaderPtr& header() const { return header_; }

  /// Octets at the start of the content that header()->block() replaces when it is stored; 0: the
  /// content is stored as it came.
  std::size_t replaced_octets() const { return replaced_octets_; }

  /// What must stand between our own fields and the content, so that its first line neither
  /// continues our last field nor ends our header: nothing, the name of a field for which that line
  /// becomes the value, or the empty line that a message without header needs.
  std::string_view joint() const;

  // After end():

  const auth::dkim::BodyHashes& body_hashes() const { return body_hashes_; }

  /// Relaxed canonicalization, whole body: for our own signatures.
  const std::string& body_hash() const { return body_hashes_.digest(own_body_hash_); }

 private:
  void complete_header();
  /// Without Authentication-Results in our name; the same one where there are none.
  mail::HeaderPtr without_forged(mail::HeaderPtr header) const;

  const OnHeader on_header_;
  const std::vector<std::string> authserv_ids_;
  std::string header_block_;  ///< what has come in of it; "" once complete
  mail::HeaderPtr header_;    ///< null until then
  bool headless_ = false;
  std::size_t replaced_octets_ = 0;
  auth::dkim::BodyHashes body_hashes_;
  const std::size_t own_body_hash_ = body_hashes_.want(auth::dkim::Canon::Relaxed);
};

}  // namespace relay::inbound
