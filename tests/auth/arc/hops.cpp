#include "tests/auth/arc/hops.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "tests/auth/arc/checked.hpp"
#include "tests/support/read_file.hpp"

namespace relay::auth::arc {

namespace {

std::size_t header_of(const std::string& message) {
  return mail::header_length(message).value_or(message.size());
}

std::string body_hash(const std::string& message) {
  dkim::BodyHashes hashes;
  const auto wish = hashes.want(dkim::Canon::Relaxed);
  hashes.update(std::string_view(message).substr(header_of(message) + 2));
  hashes.finish();
  return hashes.digest(wish);
}

/// The field with another b=, or with none.
std::string with_signature(const std::string& raw, const std::string& signature) {
  const std::size_t begin = raw.find("b=") + 2;
  return raw.substr(0, begin) + signature + raw.substr(raw.find(';', begin));
}

}  // namespace

SealingKey sealing_key(const std::string& domain, const std::string& selector) {
  const std::string pem = support::read_source("tests/auth/dkim/data/rsa.pem");
  return {domain, selector, dkim::PrivateKey::parse(pem).value()};
}

std::string key_line(const SealingKey& key) {
  return key_line(key.selector + "._domainkey." + key.domain, key.key.dns_record());
}

std::string set_for(const std::string& message, const SealingKey& key, mail::ArcResult chain) {
  const std::string hash = body_hash(message);
  const SealOrder order{.results = "mx.hop.example;\r\n\tdmarc=pass header.from=sender.example",
                        .chain = chain,
                        .body_hash = hash,
                        .now_unix = 1'795'489'200};
  const auto fields =
      mail::readable_fields(std::string_view(message).substr(0, header_of(message)));
  return make_set(fields, order, key).value();
}

std::string sealed_with(const std::string& message, const std::string& results,
                        const std::vector<std::string>& names, const SealingKey& key) {
  const std::string hash = body_hash(message);
  const auto fields =
      mail::readable_fields(std::string_view(message).substr(0, header_of(message)));
  const bool first = Chain::collect(fields).empty();
  const SealOrder order{.results = results,
                        .chain = first ? mail::ArcResult::None : mail::ArcResult::Pass,
                        .body_hash = hash,
                        .now_unix = 1'795'489'200};
  return make_set(fields, order, key, names).value() + message;
}

std::string sealed(std::string message, unsigned count, const SealingKey& key) {
  for (unsigned i = 0; i < count; ++i) {
    const bool first = message.find("ARC-Seal:") == std::string::npos;
    message.insert(0, set_for(message, key, first ? mail::ArcResult::None : mail::ArcResult::Pass));
  }
  return message;
}

std::string plain_message() {
  return "Received: from a by b; Tue, 24 Nov 2026 03:00:00 +0000\r\n"
         "From: Ann <ann@sender.example>\r\n"
         "To: info@fwd.example\r\n"
         "Subject: an invoice\r\n"
         "Message-ID: <1@sender.example>\r\n"
         "\r\n"
         "Please pay  at once.\r\n\r\n";
}

std::vector<std::string> fields_of(const std::string& message) {
  std::vector<std::string> fields;
  for (const auto& field : mail::readable_fields(message)) fields.emplace_back(field.raw);
  return fields;
}

std::string joined(const std::vector<std::string>& fields, const std::string& message) {
  std::string text;
  for (const std::string& field : fields) text += field;
  return text + message.substr(header_of(message));
}

std::string replaced(std::string text, std::string_view old_text, std::string_view new_text) {
  const auto at = text.find(old_text);
  if (at == std::string::npos) throw std::invalid_argument("nothing to replace");
  return text.replace(at, old_text.size(), new_text);
}

std::string signed_again(const std::string& message, const SealingKey& key) {
  auto raw = fields_of(message);  // seal, signature, results, and what is below
  const auto below = mail::readable_fields(
      std::string_view(message).substr(raw.at(0).size() + raw.at(1).size() + raw.at(2).size()));
  const auto field = [](const std::string& text) { return mail::readable_fields(text).front(); };
  const std::string bare = with_signature(raw.at(1), "");
  const auto tags = parse_message_signature(field(raw.at(1)).value).value();
  raw.at(1) = with_signature(raw.at(1), dkim::base64(key.key.sign_hash(signed_message_hash(
                                            dkim::SignableHeader(below), field(bare), tags))));
  const auto earlier = Chain::collect(below).sets();
  raw.at(0) = with_signature(raw.at(0),
                             dkim::base64(key.key.sign_hash(signed_seal_hash(
                                 earlier, field(raw.at(2)), field(raw.at(1)), field(raw.at(0))))));
  return joined(raw, message);
}

}  // namespace relay::auth::arc
