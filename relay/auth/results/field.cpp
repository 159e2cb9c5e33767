#include "relay/auth/results/field.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "relay/auth/results/value.hpp"

namespace relay::auth::results {

namespace {

constexpr std::size_t kColumns = 78;    // RFC 5322 §2.1.1
constexpr std::size_t kTabColumns = 8;  // width of the HTAB that begins a folded line

/// Text of the field: each result begins on a new line, and full lines are folded.
class Lines {
 public:
  explicit Lines(const Value& authserv_id) : text_(authserv_id.text()) {}

  /// ";⏎⇥method=result"
  void begin(std::string_view method, std::string_view result) {
    text_ += ";\r\n\t";
    column_ = kTabColumns;
    any_ = true;
    add(fmt::format("{}={}", method, result));
  }

  void comment(std::string_view word, std::string_view ours) {
    piece(fmt::format("({}={})", word, ours));
  }

  void reason(std::string_view problem) {
    if (problem.empty()) return;
    const Value value = Value::reason(problem);
    if (value.text().size() > 2) piece("reason=" + value.text());
  }

  void property(std::string_view name, const Value& value) {
    piece(fmt::format("{}={}", name, value.text()));
  }

  std::string finish() && {
    if (!any_) text_ += "; none";
    return std::move(text_);
  }

 private:
  void piece(const std::string& text) {
    // One octet for the space, one for the semicolon that may follow.
    if (column_ + text.size() + 2 > kColumns) {
      text_ += "\r\n\t";
      column_ = kTabColumns;
    } else {
      add(" ");
    }
    add(text);
  }

  void add(std::string_view text) {
    text_ += text;
    column_ += text.size();
  }

  std::string text_;
  std::size_t column_ = 0;
  bool any_ = false;
};

void add_iprev(Lines& lines, const Findings& findings) {
  lines.begin("iprev", name_of(findings.verdicts.iprev.result));
  lines.property("policy.iprev", Value::of(findings.client.address));
}

/// HELO if it was checked or the sender is null, and MAIL FROM if there is one (RFC 7208 §2.3,
/// §2.4).
void add_spf(Lines& lines, const Findings& findings) {
  const mail::SpfVerdict& helo = findings.verdicts.helo;
  const bool null_sender = findings.sender.is_null();
  if (null_sender || !helo.domain.empty()) {
    lines.begin("spf", name_of(helo.result));
    lines.reason(helo.problem);
    lines.property("smtp.helo",
                   Value::domain(helo.domain.empty() ? findings.client.helo : helo.domain));
  }
  if (null_sender) return;
  const mail::Mailbox& sender = findings.sender.mailbox();
  lines.begin("spf", name_of(findings.verdicts.mail_from.result));
  lines.reason(findings.verdicts.mail_from.problem);
  lines.property("smtp.mailfrom", Value::mailbox(sender.local_part(), sender.domain().folded(),
                                                 findings.smtputf8 ? Octets::Utf8 : Octets::Ascii));
}

/// In the order of the message; if there are too many, those that passed come first.
std::vector<const mail::DkimVerdict*> reported(const std::vector<mail::DkimVerdict>& verdicts) {
  const bool too_many = verdicts.size() > kMaxDkimResults;
  std::vector<const mail::DkimVerdict*> chosen;
  std::vector<const mail::DkimVerdict*> others;
  for (const auto& verdict : verdicts) {
    const bool first = !too_many || verdict.result == mail::DkimResult::Pass;
    (first ? chosen : others).push_back(&verdict);
  }
  chosen.insert(chosen.end(), others.begin(), others.end());
  if (too_many) chosen.resize(kMaxDkimResults);
  return chosen;
}

void add_signature(Lines& lines, const mail::DkimVerdict& verdict, Octets octets) {
  lines.begin("dkim", name_of(verdict.result));
  lines.reason(verdict.problem);
  if (!verdict.domain.empty()) lines.property("header.d", Value::domain(verdict.domain));
  if (!verdict.identity.empty()) {
    lines.property("header.i", Value::address(verdict.identity, octets));
  }
  if (!verdict.selector.empty()) lines.property("header.s", Value::of(verdict.selector));
  if (!verdict.algorithm.empty()) lines.property("header.a", Value::of(verdict.algorithm));
  if (!verdict.signature_head.empty()) {
    lines.property("header.b", Value::of(verdict.signature_head));
  }
}

void add_dkim(Lines& lines, const Findings& findings) {
  const auto octets = findings.smtputf8 ? Octets::Utf8 : Octets::Ascii;
  if (findings.verdicts.dkim.empty()) lines.begin("dkim", "none");
  for (const auto* verdict : reported(findings.verdicts.dkim)) {
    add_signature(lines, *verdict, octets);
  }
}

void add_dmarc(Lines& lines, const Findings& findings) {
  const mail::DmarcVerdict& verdict = findings.verdicts.dmarc;
  const bool has_record = !verdict.policy_domain.empty();
  lines.begin("dmarc", name_of(verdict.result));
  if (has_record) lines.comment("p", name_of(verdict.policy));
  lines.reason(verdict.problem);
  if (!verdict.from_domain.empty()) {
    lines.property("header.from", Value::domain(verdict.from_domain));
  }
  if (has_record) {
    lines.property("policy.dmarc", Value::of(name_of(verdict.policy)));
  }
}

/// RFC 8617 §10.2 recommends the client's address in an ARC-Authentication-Results field.
void add_arc(Lines& lines, const Findings& findings) {
  const mail::ArcVerdict& verdict = findings.verdicts.arc;
  lines.begin("arc", name_of(verdict.result));
  if (verdict.instances > 0) lines.comment("i", std::to_string(verdict.instances));
  lines.reason(verdict.problem);
  if (verdict.result == mail::ArcResult::Pass) {
    lines.property("header.oldest-pass", Value::of(std::to_string(verdict.oldest_pass)));
  }
  lines.property("smtp.remote-ip", Value::of(findings.client.address));
}

}  // namespace

std::string results_value(std::string_view authserv_id, const Findings& findings) {
  Lines lines(Value::domain(authserv_id));
  add_iprev(lines, findings);
  add_spf(lines, findings);
  add_dkim(lines, findings);
  add_dmarc(lines, findings);
  add_arc(lines, findings);
  return std::move(lines).finish();
}

std::string results_field(std::string_view value) {
  constexpr std::string_view kName = "Authentication-Results:";
  const std::size_t first_line = std::min(value.find('\r'), value.size());
  const bool fits = kName.size() + 1 + first_line <= kColumns;
  return fmt::format("{}{}{}\r\n", kName, fits ? " " : "\r\n\t", value);
}

}  // namespace relay::auth::results
