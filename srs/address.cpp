#include <algorithm>

#include "srs/srs.hpp"

namespace srs {

namespace {

bool is_atext(char c) {
  constexpr std::string_view kSpecials = "!#$%&'*+-/=?^_`{|}~";
  const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alnum || static_cast<unsigned char>(c) >= 0x80 ||
         kSpecials.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c == '.' || is_atext(c); });
}

std::string unquoted(std::string_view local) {
  if (local.size() < 2 || local.front() != '"' || local.back() != '"') return std::string(local);
  std::string plain;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    plain += local[i];
  }
  return plain;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return std::nullopt;
  return Address{unquoted(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string to_string(const Address& address) {
  if (is_dot_string(address.local_part)) return address.local_part + '@' + address.domain;
  std::string quoted = "\"";
  for (const char c : address.local_part) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"@" + address.domain;
}

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

}  // namespace srs
