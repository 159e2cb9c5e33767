// [srs], [tls] and [[dkim]]: the sections that name key material.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <expected>
#include <set>
#include <utility>

#include "relay/forward/bounce_limits.hpp"
#include "relay/forward/names_of_ours.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/tls.hpp"
#include "srs/key_ring.hpp"

namespace relay::settings {

using base::KeyText;
using forward::BounceLimits;
using forward::DkimDomain;
using forward::DkimKey;
using forward::Srs;
using forward::SrsFormat;
using forward::SrsSecret;

namespace {

base::Secret without_line_end(const base::Secret& secret) {
  std::string_view text = secret.reveal();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return base::Secret(std::string(text));
}

void check_secrets(Section& section, const Srs& srs) {
  std::vector<srs::Key> keys;
  for (const SrsSecret& secret : srs.secrets) {
    if (secret.secret.empty()) return;  // was reported
    keys.push_back(
        {secret.id, std::string(secret.secret.reveal()), secret.verify_until, secret.scheme});
  }
  const auto ring = srs::KeyRing::make(std::move(keys));
  if (!ring) {
    section.problem("secret", ProblemCode::Secret, std::string(srs::describe(ring.error())));
  }
}

/// `[srs] accept_classic` applies to all secrets. It is still obeyed, with a warning that names the
/// key `classic` of each secret, which replaces it.
std::optional<bool> read_accept_classic(Section& section) {
  if (!section.has("accept_classic")) return std::nullopt;
  bool accept = true;
  section.boolean("accept_classic", accept);
  section.findings().warn(
      section.at("accept_classic"),
      section.path_of("accept_classic") + ": is followed, but each secret says this itself now",
      accept
          ? "write `classic = true` in the [[srs.secret]] that PostSRSd, Mail::SRS or pysrs make "
            "addresses with, and leave this out"
          : "leave it out: only secrets with `classic = true` take classic addresses");
  return accept;
}

void read_classic(Section& entry, const Srs& srs, std::optional<bool> accept_classic,
                  SrsSecret& secret) {
  const bool native = secret.scheme == srs::Scheme::Native;
  const bool makes_them = srs.format == SrsFormat::Classic;
  if (native) secret.classic = makes_them ? true : accept_classic;
  if (!entry.has("classic")) return;
  bool classic = false;
  entry.boolean("classic", classic);
  if (classic && !native) {
    entry.problem("classic", ProblemCode::Value,
                  "a secret with a scheme verifies the addresses of that program only",
                  "leave `scheme` out for secrets of PostSRSd, Mail::SRS and pysrs");
  } else if (native && makes_them && !classic) {
    entry.problem("classic", ProblemCode::Value,
                  "format = \"classic\" makes classic addresses, which every secret must verify",
                  "leave this out, or set format = \"strong\"");
  } else if (native) {
    secret.classic = classic;
  }
}

void read_secrets(Section& section, Srs& srs) {
  const auto accept_classic = read_accept_classic(section);
  for (Section& entry : section.tables("secret")) {
    SrsSecret secret;
    entry.text("id", secret.id);
    if (secret.id.empty()) entry.problem("id", ProblemCode::Missing, "every secret needs an id");
    secret.secret = read_secret(entry);
    entry.choice("scheme", secret.scheme,
                 {{"native", srs::Scheme::Native},
                  {"exim", srs::Scheme::Exim},
                  {"srs.js", srs::Scheme::SrsJs},
                  {"sender-rewriting-scheme", srs::Scheme::SenderRewritingScheme}});
    entry.last_day("verify_until", secret.verify_until);
    read_classic(entry, srs, accept_classic, secret);
    entry.finish();
    srs.secrets.push_back(std::move(secret));
  }
}

void read_bounces(Section& srs, BounceLimits& into) {
  auto section = srs.table("bounces");
  if (!section) return;
  section->number("per_address", into.per_address, 1, 1'000'000);
  section->number("per_sender", into.per_sender, 1, 1'000'000);
  section->number("per_client", into.per_client, 1, 1'000'000);
  section->number("bad_per_client", into.bad_per_client, 1, 1'000'000);
  section->number("bad_in_all", into.bad_in_all, 1, 1'000'000'000);
  section->number("bad_per_taker", into.bad_per_taker, 1, 1'000'000);
  section->number("probes_per_client", into.probes_per_client, 1, 1'000'000'000);
  section->size("max_body", into.max_body);
  section->finish();
}

/// `key`: the key of the section that names the file, for messages.
std::optional<KeyText> read_key_file(Section& section, const char* key, const std::string& file,
                                     Rights rights) {
  KeyText found{.file = file, .name = file, .text = {}, .at = section.place(key)};
  std::expected<base::Secret, FileError> read;
  if (rights == Rights::Secret) {
    read = read_secret_file(file);
  } else if (auto content = read_file(file)) {
    read = base::Secret(std::move(*content));
  } else {
    read = std::unexpected(std::move(content.error()));
  }
  if (!read) {
    section.problem(key, read.error().code, read.error().text);
    return std::nullopt;
  }
  found.text = std::move(*read);
  return found;
}

/// Reads a file name, or a table that says where the text is.
std::optional<KeyText> read_tls_part(Section& tls, const char* key, Rights rights) {
  if (!tls.has(key)) {
    tls.problem(key, ProblemCode::Missing, "TLS needs cert and key");
    return std::nullopt;
  }
  if (tls.raw().get(key)->is_table()) {
    auto place = tls.table(key);
    auto found = read_key_text(*place, rights);
    place->finish();
    return found;
  }
  std::string file;
  tls.text(key, file);
  if (!tls.raw().get(key)->is_string()) return std::nullopt;  // wrong type, was reported
  file = relative_to(file, tls.at(key).file);
  tls.findings().name_file(file, tls.at(key));
  return read_key_file(tls, key, file, rights);
}

}  // namespace

std::optional<KeyText> read_key_text(Section& section, Rights rights) {
  std::string file;
  std::string variable;
  std::string credential;
  section.text("file", file);
  section.text("env", variable);
  section.text("credential", credential);
  const int sources = int(!file.empty()) + int(!variable.empty()) + int(!credential.empty());
  if (sources != 1) {
    section.problem("file", ProblemCode::Missing,
                    "one of file, env or credential names the secret");
    return std::nullopt;
  }
  if (!variable.empty()) {
    const char* value = std::getenv(variable.c_str());
    if (value) return KeyText{{}, '$' + variable, base::Secret(value), section.place("env")};
    section.problem("env", ProblemCode::File, "the environment has no " + variable);
    return std::nullopt;
  }
  const char* const key = credential.empty() ? "file" : "credential";
  if (!credential.empty()) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (!folder) {
      section.problem("credential", ProblemCode::File, "CREDENTIALS_DIRECTORY is not set",
                      "systemd sets it for the service alone; ExecStartPre= has it, too");
      return std::nullopt;
    }
    file = std::string(folder) + '/' + credential;
  } else {
    file = relative_to(file, section.at("file").file);
    section.findings().name_file(file, section.at("file"));
  }
  auto found = read_key_file(section, key, file, rights);
  if (found) found->credential = std::move(credential);
  return found;
}

base::Secret read_secret(Section& section) {
  const auto found = read_key_text(section);
  return found ? without_line_end(found->text) : base::Secret();
}

void read_tls(Section& root, std::optional<Tls>& tls) {
  auto section = root.table("tls");
  if (!section) return;
  auto certificate = read_tls_part(*section, "cert", Rights::Public);
  auto key = read_tls_part(*section, "key", Rights::Secret);
  section->finish();
  if (certificate && key) tls = Tls{std::move(*certificate), std::move(*key)};
}

void read_srs(Section& root, Srs& srs, BounceLimits& bounces) {
  auto section = root.table("srs");
  if (!section) return;
  section->domain("domain", srs.domain);
  srs.domain_at = section->place("domain");
  section->choice("format", srs.format,
                  {{"strong", SrsFormat::Strong}, {"classic", SrsFormat::Classic}});
  section->choice("separator", srs.separator, {{"=", '='}, {"+", '+'}, {"-", '-'}});
  section->number("tag_length", srs.tag_length, 8, 32);
  section->number("classic_hash_length", srs.classic_hash_length, 4, 27);
  std::chrono::seconds max_age{srs.max_age_days * 86'400LL};
  section->duration("max_age", max_age);
  if (max_age < std::chrono::days(1) || max_age > std::chrono::days(365)) {
    section->problem("max_age", ProblemCode::Value, "must be between \"1d\" and \"365d\"");
  } else {
    srs.max_age_days = static_cast<int>(std::chrono::floor<std::chrono::days>(max_age).count());
  }
  section->number("stored_per_domain", srs.stored_per_domain, 1, 10'000'000);
  section->number("stored_per_client", srs.stored_per_client, 1, 10'000'000);
  read_secrets(*section, srs);
  read_bounces(*section, bounces);
  section->finish();
  if (!srs.domain) section->problem("domain", ProblemCode::Missing, "SRS needs a domain of ours");
  check_secrets(*section, srs);
}

void read_dkim(Section& root, std::vector<DkimDomain>& domains) {
  std::set<std::string> seen;
  for (Section& section : root.tables("dkim")) {
    std::optional<mail::Domain> domain;
    section.domain("domain", domain);
    std::vector<DkimKey> keys;
    for (Section& entry : section.tables("keys")) {
      DkimKey key;
      entry.text("selector", key.selector);
      if (!mail::Domain::parse(key.selector)) {
        entry.problem("selector", ProblemCode::Value, "not a selector: \"" + key.selector + '"');
      }
      if (auto read = read_key_text(entry)) key.key = std::move(*read);
      entry.finish();
      keys.push_back(std::move(key));
    }
    section.finish();
    if (!domain) {
      section.problem("domain", ProblemCode::Missing, "names the signing domain (d=)");
      continue;
    }
    if (keys.empty()) section.problem("keys", ProblemCode::Missing, "needs at least one key");
    if (!seen.insert(domain->folded()).second) {
      section.problem("domain", ProblemCode::Duplicate, domain->text() + " is configured twice");
    }
    domains.push_back({std::move(*domain), std::move(keys), section.place("domain")});
  }
}

}  // namespace relay::settings
