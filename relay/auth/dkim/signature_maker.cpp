#include "relay/auth/dkim/signature_maker.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/canonical.hpp"
#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::dkim {

namespace {

struct SignedName {
  std::string_view name;
  bool once_more = false;  ///< oversigned
};

/// Fields that a reader sees or a reply uses (RFC 6376 §5.4.1). No trace fields, since later hops
/// add more of them.
constexpr std::array<SignedName, 24> kSigned = {{
    {"From", true},
    {"Sender"},
    {"Reply-To", true},
    {"Subject", true},
    {"Date", true},
    {"Message-ID", true},
    {"To", true},
    {"Cc", true},
    {"MIME-Version", true},
    {"Content-Type", true},
    {"Content-Transfer-Encoding"},
    {"Content-ID"},
    {"Content-Description"},
    {"In-Reply-To"},
    {"References"},
    {"List-Id"},
    {"List-Help"},
    {"List-Unsubscribe"},
    {"List-Unsubscribe-Post"},
    {"List-Subscribe"},
    {"List-Post"},
    {"List-Owner"},
    {"List-Archive"},
    {"Autocrypt"},
}};
constexpr std::size_t kMaxSignedFields = 200;  // limits h= when an attacker repeats a field
constexpr std::size_t kFoldAt = 72;

/// Appends `piece`, on a new line if this one is full.
void append_folded(std::string& out, std::size_t& column, std::string_view piece) {
  if (column + piece.size() > kFoldAt) {
    out += "\r\n\t";
    column = 8;
  }
  out += piece;
  column += piece.size();
}

std::string folded_base64(std::string_view text, std::size_t& column) {
  std::string out;
  while (!text.empty()) {
    const std::size_t room = column + 8 < kFoldAt ? kFoldAt - column : 0;
    if (room == 0) {
      out += "\r\n\t";
      column = 8;
      continue;
    }
    const std::size_t count = std::min(room, text.size());
    out += text.substr(0, count);
    text.remove_prefix(count);
    column += count;
  }
  return out;
}

/// The value up to and including "b=".
std::string unsigned_value(const SignatureRequest& request, KeyType type,
                           const std::vector<std::string>& names, std::size_t& column) {
  std::string value =
      fmt::format(" v=1; a={}; c=relaxed/relaxed; d={};\r\n\ts={}; t={};", algorithm_of(type),
                  request.domain, request.selector, request.now_unix);
  if (request.expires_unix) value += fmt::format(" x={};", *request.expires_unix);
  value += " h=";
  column = value.size() - value.rfind('\n') + 7;
  for (std::size_t i = 0; i < names.size(); ++i) {
    append_folded(value, column, names[i] + (i + 1 < names.size() ? ":" : ";"));
  }
  value += fmt::format("\r\n\tbh={};\r\n\tb=", base64(request.body_hash));
  column = 10;
  return value;
}

}  // namespace

std::vector<std::string> signed_names(const std::vector<mail::HeaderField>& fields) {
  std::vector<std::string> names;
  for (const auto& [name, once_more] : kSigned) {
    auto count = std::ranges::count_if(fields, [&](const mail::HeaderField& field) {
      return base::equal_ignoring_case(field.name, name);
    });
    if (once_more) ++count;
    for (; count > 0 && names.size() < kMaxSignedFields; --count) names.emplace_back(name);
  }
  return names;
}

std::string make_signature_field(const SignatureRequest& request, const PrivateKey& key) {
  const auto names = signed_names(request.fields);
  std::size_t column = 0;
  std::string value = unsigned_value(request, key.type(), names, column);
  // The field itself is signed last, with b= empty and without CRLF (§3.7).
  const std::string signature =
      key.sign_hash(base::sha256(canonical_header(request.fields, names, Canon::Relaxed) +
                                 relaxed_field("DKIM-Signature", value)));
  if (signature.empty()) return {};
  value += folded_base64(base64(signature), column);
  return "DKIM-Signature:" + value + "\r\n";
}

}  // namespace relay::auth::dkim
