#include "srs/explanation.hpp"

#include "srs/text.hpp"

namespace srs {

std::string_view describe(ForwardError error) {
  switch (error) {
    case ForwardError::NullSender:
      return "the null sender is never rewritten";
    case ForwardError::OwnAddress:
      return "the sender is in our own SRS domain";
    case ForwardError::TooLong:
      return "the SRS address would exceed 64 octets of local part";
    case ForwardError::Malformed:
      return "not an address with local part and domain";
  }
  return "cannot be rewritten";
}

std::string_view describe(ReverseError error) {
  switch (error) {
    case ReverseError::NotSrs:
      return "not an SRS address";
    case ReverseError::NotOurs:
      return "SRS address of another domain";
    case ReverseError::Malformed:
      return "malformed SRS address";
    case ReverseError::Forged:
      return "hash does not match: forged or damaged";
    case ReverseError::Expired:
      return "expired";
    case ReverseError::Future:
      return "stamped in the future";
    case ReverseError::BadTarget:
      return "leads to no deliverable domain";
  }
  return "cannot be reversed";
}

std::string_view describe(Family family) {
  switch (family) {
    case Family::Strong:
      return "strong";
    case Family::Classic:
      return "classic";
    case Family::Token:
      return "token";
    case Family::Message:
      return "message";
    case Family::Exim:
      return "exim";
    case Family::SrsJs:
      return "srs.js";
    case Family::SenderRewritingScheme:
      return "sender-rewriting-scheme";
  }
  return "";
}

Explanation explain(const Rewriter& rewriter, const Address& address, std::int64_t now_unix) {
  Explanation out;
  const std::string_view local = address.local_part;
  out.is_srs = after_tag(local, "srs0") || after_tag(local, "srs1") || after_tag(local, "srst") ||
               after_tag(local, "srsm");
  out.hop = after_tag(local, "srs1") ? 1 : 0;
  const auto reversed = rewriter.reverse(address, now_unix);
  if (!reversed) {
    out.verdict = out.is_srs ? "refused" : "not SRS";
    switch (reversed.error()) {
      case ReverseError::Forged:
        out.verdict = "forged";
        break;
      case ReverseError::Expired:
        out.verdict = "expired";
        break;
      case ReverseError::Future:
        out.verdict = "future";
        break;
      case ReverseError::Malformed:
        out.verdict = "malformed";
        break;
      case ReverseError::NotOurs:
        out.verdict = "foreign";
        break;
      default:
        break;
    }
    out.reason = describe(reversed.error());
    if (reversed.error() == ReverseError::Forged) {
      if (const auto key = rewriter.classic_key_of(address, now_unix)) {
        out.reason = "a right classic tag of key " + *key + ", which takes no classic tags";
      }
    }
    return out;
  }
  out.family = reversed->family;
  out.key_id = reversed->key_id;
  if (reversed->hop == 0 || reversed->family == Family::Strong) out.age_days = reversed->age_days;
  out.verdict = "valid";
  if (reversed->family == Family::Token) {
    out.recovered = "(stored under " + reversed->token + ")";
  } else if (reversed->family == Family::Message) {
    out.recovered = "(nobody: the sender of message " + reversed->token + " cannot be answered)";
  } else {
    out.recovered = to_string(reversed->address);
  }
  out.reason = reversed->weak ? "hash matches, but proves little (16 bits, or only without case)"
                              : "hash matches";
  return out;
}

}  // namespace srs
