// Signs in every way a stranger may sign, also wrongly: our own maker knows only one good way.
#pragma once

#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/canonical.hpp"
#include "relay/auth/dkim/private_key.hpp"
#include "relay/auth/dkim/tag_list.hpp"
#include "relay/base/sha256.hpp"
#include "relay/mail/header.hpp"
#include "tests/auth/dkim/judged.hpp"
#include "tests/support/read_file.hpp"

namespace relay::auth::dkim {

inline std::string test_file(const std::string& name) {
  return support::read_source("tests/auth/dkim/data/" + name);
}

inline PrivateKey test_key(const std::string& name) {
  return *PrivateKey::parse(test_file(name + ".pem"));
}

/// `message` with a signature field in front. `tags` are all of its tags but bh= and b=, which are
/// made as c=, h= and l= among them say.
inline std::string signed_with(const std::string& message, const PrivateKey& key,
                               const std::string& tags) {
  const auto list = *parse_tag_list(tags);
  const auto forms = split_value(find_tag(list, "c").value_or("simple/simple"), '/');
  const auto canon = [&](std::size_t at) {
    return at < forms.size() && forms[at] == "relaxed" ? Canon::Relaxed : Canon::Simple;
  };
  std::optional<std::uint64_t> length;
  if (const auto text = find_tag(list, "l")) {
    std::uint64_t value = 0;
    std::from_chars(text->data(), text->data() + text->size(), value);
    length = value;
  }
  BodyHashes hashes;
  const std::size_t body = hashes.want(canon(1), length);
  hashes.update(body_of(message));
  hashes.finish();
  std::string field =
      "DKIM-Signature: " + tags + ";\r\n bh=" + base64(hashes.digest(body)) + "; b=";
  std::vector<std::string> names;
  for (const auto name : split_value(find_tag(list, "h").value_or(""), ':')) {
    names.emplace_back(name);
  }
  const auto fields = mail::readable_fields(message);
  const std::string text = canonical_header(fields, names, canon(0)) +
                           canonical_signature_field(mail::readable_fields(field)[0], canon(0));
  return field + base64(key.sign_hash(base::sha256(text))) + "\r\n" + message;
}

}  // namespace relay::auth::dkim
