#include "relay/auth/dkim/canonical.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::auth::dkim {

namespace {

/// Octets of white space at the start of `text`, a field value: SP, HTAB, or a CRLF, which can only
/// fold or end the value. A bare CR or LF is not white space (RFC 6376 §3.4.2, §2.8).
std::size_t blank_octets(std::string_view text) {
  if (base::is_wsp(text.front())) return 1;
  return text.starts_with("\r\n") ? 2 : 0;
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with("\r\n")) text.remove_suffix(2);
  return text;
}

/// True if `spec`, one tag of the list, is b=.
bool is_signature_tag(std::string_view spec) {
  while (!spec.empty() && base::is_white(spec.front())) spec.remove_prefix(1);
  if (!spec.starts_with('b')) return false;
  spec.remove_prefix(1);
  while (!spec.empty() && base::is_white(spec.front())) spec.remove_prefix(1);
  return spec.starts_with('=');
}

/// `value` with the part after the "=" of b= removed.
std::string without_signature(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(';'), value.size());
    const std::string_view spec = value.substr(0, end);
    text += is_signature_tag(spec) ? spec.substr(0, spec.find('=') + 1) : spec;
    if (end < value.size()) text += ';';
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return text;
}

}  // namespace

std::string relaxed_field(std::string_view name, std::string_view value) {
  std::string out = base::lower(name);
  while (!out.empty() && base::is_wsp(out.back())) out.pop_back();
  out += ':';
  out.reserve(out.size() + value.size() + 2);  // room for a CRLF that the caller may append
  const std::size_t start = out.size();
  bool blank = false;
  while (!value.empty()) {
    if (const std::size_t octets = blank_octets(value); octets > 0) {
      blank = true;
      value.remove_prefix(octets);
      continue;
    }
    const auto* const end = std::find_if(value.begin() + 1, value.end(),
                                         [](char c) { return base::is_wsp(c) || c == '\r'; });
    if (blank && out.size() > start) out += ' ';
    blank = false;
    out.append(value.begin(), end);
    value.remove_prefix(static_cast<std::size_t>(end - value.begin()));
  }
  return out;
}

std::string canonical_field(const mail::HeaderField& field, Canon canon) {
  if (canon == Canon::Relaxed) return relaxed_field(field.name, field.value);
  return std::string(without_line_end(field.raw));
}

SignableHeader::SignableHeader(const std::vector<mail::HeaderField>& fields) {
  for (const auto& field : fields) by_name_[base::lower(field.name)].push_back(&field);
}

std::string SignableHeader::canonical(const std::vector<std::string>& names, Canon canon,
                                      const mail::HeaderField* except) const {
  std::unordered_map<std::string, std::size_t> left;  // number of fields not taken yet, by name
  std::string text;
  for (const std::string& name : names) {
    const auto found = by_name_.find(base::lower(name));
    if (found == by_name_.end()) continue;
    const auto& fields = found->second;
    std::size_t& above = left.try_emplace(found->first, fields.size()).first->second;
    if (above > 0 && except != nullptr && fields[above - 1]->raw.data() == except->raw.data()) {
      --above;
    }
    if (above == 0) continue;
    text += canonical_field(*fields[--above], canon);
    text += "\r\n";
  }
  return text;
}

std::string canonical_header(const std::vector<mail::HeaderField>& fields,
                             const std::vector<std::string>& names, Canon canon,
                             const mail::HeaderField* except) {
  return SignableHeader(fields).canonical(names, canon, except);
}

std::string canonical_signature_field(const mail::HeaderField& field, Canon canon) {
  const std::string value = without_signature(without_line_end(field.value));
  if (canon == Canon::Relaxed) return relaxed_field(field.name, value);
  const std::size_t prefix = field.raw.size() - field.value.size();  // name, colon
  return std::string(field.raw.substr(0, prefix)) + value;
}

}  // namespace relay::auth::dkim
