#include "relay/auth/arc/sealer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/signature_maker.hpp"

namespace relay::auth::arc {

namespace {

constexpr std::size_t kColumns = 78;            // RFC 5322 §2.1.1
constexpr std::size_t kFoldAt = 72;             // column at which tags are folded
constexpr std::size_t kTabColumns = 8;          // width of the HTAB that begins a folded line
constexpr std::size_t kMaxDkimSignatures = 50;  // at most so many DKIM-Signatures in h=
constexpr std::string_view kNewLine = "\r\n\t";

std::string folded_base64(std::string_view text) {
  std::string out;
  std::size_t room = kFoldAt - kTabColumns - 2;  // after "b="
  while (!text.empty()) {
    if (!out.empty()) out += kNewLine;
    out += text.substr(0, room);
    text.remove_prefix(std::min(room, text.size()));
    room = kFoldAt - kTabColumns;
  }
  return out;
}

std::string folded_names(const std::vector<std::string>& names) {
  std::string out;
  std::size_t column = kTabColumns + 2;  // after "h="
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string piece = names[i] + (i + 1 < names.size() ? ":" : "");
    if (column + piece.size() > kFoldAt) {
      out += kNewLine;
      column = kTabColumns;
    }
    out += piece;
    column += piece.size();
  }
  return out;
}

/// Writes the three fields. Tags are in alphabetical order, as in the signing cases of ValiMail's
/// ARC test suite, so that signatures can be compared with those of other programs. b= is on lines
/// of its own, so that its length changes no other line. A space precedes i=, because dkimpy looks
/// for it.
struct SetWriter {
  const SealOrder& order;
  const SealingKey& sealer;
  const NextSet& set;

  std::string head(std::string_view signature) const {
    return fmt::format(" a={};{}b={};", dkim::algorithm_of(sealer.key.type()), kNewLine,
                       folded_base64(signature));
  }

  std::string results() const {
    constexpr std::string_view kName = "ARC-Authentication-Results:";
    const std::string instance = fmt::format(" i={};", set.instance);
    const std::size_t first_line = std::min(order.results.find('\r'), order.results.size());
    const bool fits = kName.size() + instance.size() + 1 + first_line <= kColumns;
    return fmt::format("{}{}{}{}\r\n", kName, instance, fits ? " " : kNewLine, order.results);
  }

  std::string message_signature(const std::vector<std::string>& names,
                                std::string_view signature) const {
    return fmt::format(
        "ARC-Message-Signature:{}\r\n\tbh={};\r\n\tc=relaxed/relaxed; d={};\r\n\th={}; i={};"
        "\r\n\ts={}; t={}\r\n",
        head(signature), dkim::base64(order.body_hash), sealer.domain, folded_names(names),
        set.instance, sealer.selector, order.now_unix);
  }

  std::string seal(std::string_view signature) const {
    return fmt::format("ARC-Seal:{}\r\n\tcv={}; d={}; i={};\r\n\ts={}; t={}\r\n", head(signature),
                       name_of(set.status), sealer.domain, set.instance, sealer.selector,
                       order.now_unix);
  }

  /// "" when the key cannot sign.
  std::string sign(const std::string& hash) const {
    const std::string signature = sealer.key.sign_hash(hash);
    return signature.empty() ? signature : dkim::base64(signature);
  }
};

/// Precondition: `text` is exactly one field.
mail::HeaderField as_field(const std::string& text) { return mail::readable_fields(text).front(); }

}  // namespace

std::optional<NextSet> next_set(const Chain& chain, mail::ArcResult verdict) {
  const unsigned next = chain.instances() + 1;
  if (next > kMaxInstances) return std::nullopt;
  switch (verdict) {
    case mail::ArcResult::None:
      if (!chain.empty()) return std::nullopt;
      return NextSet{1, ChainStatus::None};
    case mail::ArcResult::Pass:
      if (chain.sets().empty()) return std::nullopt;
      return NextSet{next, ChainStatus::Pass};
    case mail::ArcResult::Fail:
      if (chain.empty() || chain.newest_says_fail()) return std::nullopt;
      return NextSet{next, ChainStatus::Fail};
    case mail::ArcResult::TempError:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> names_to_sign(const std::vector<mail::HeaderField>& fields) {
  auto names = dkim::signed_names(fields);
  const std::size_t signatures = mail::find_fields(fields, "DKIM-Signature").size();
  names.insert(names.end(), std::min(signatures, kMaxDkimSignatures), "DKIM-Signature");
  return names;
}

std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer) {
  return make_set(fields, order, sealer, names_to_sign(fields));
}

std::optional<std::string> make_set(const std::vector<mail::HeaderField>& fields,
                                    const SealOrder& order, const SealingKey& sealer,
                                    const std::vector<std::string>& names) {
  const Chain chain = Chain::collect(fields);
  const auto set = next_set(chain, order.chain);
  if (!set) return std::string();
  const SetWriter writer{order, sealer, *set};
  const MessageSignature tags{
      .header = dkim::Canon::Relaxed, .body = dkim::Canon::Relaxed, .names = names};

  const std::string results = writer.results();
  const std::string unsigned_message = writer.message_signature(names, "");
  const std::string signature = writer.sign(
      signed_message_hash(dkim::SignableHeader(fields), as_field(unsigned_message), tags));
  if (signature.empty()) return std::nullopt;
  const std::string message = writer.message_signature(names, signature);

  // The seal of a failed chain covers our own set only: fields of the other sets cannot be told
  // apart from forged ones (§5.1.2).
  const std::vector<ArcSet> none;
  const auto& earlier = set->status == ChainStatus::Fail ? none : chain.sets();
  const std::string unsigned_seal = writer.seal("");
  const std::string seal = writer.sign(
      signed_seal_hash(earlier, as_field(results), as_field(message), as_field(unsigned_seal)));
  if (seal.empty()) return std::nullopt;
  return writer.seal(seal) + message + results;
}

}  // namespace relay::auth::arc
