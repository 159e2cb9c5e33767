#include "relay/settings/loader.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <ranges>

#include <fmt/format.h>

#include "relay/base/closest.hpp"
#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"
#include "relay/forward/hosted_domains.hpp"
#include "relay/settings/file_patterns.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/parse_toml.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

using forward::Alias;
using forward::HostedDomain;
using forward::HostedDomains;

namespace {

std::string hash_of(const std::string& text) {
  std::string hex;
  for (const char octet : base::sha256(text).substr(0, 8)) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(octet));
  }
  return hex;
}

/// Parses one file into a table; false, and reported, when it cannot be used.
bool parse_file(const std::string& path, const base::SourcePosition& named_at, toml::table& into,
                std::string& all_text, Findings& findings) {
  findings.name_file(path, named_at);
  auto content = read_file(path);
  if (!content) {
    findings.add(named_at, content.error().code, content.error().text);
    return false;
  }
  findings.warn_of_mark(path, *content);
  findings.remember(path, *content);
  all_text += *content;
  auto parsed = parse_toml(*content, path);
  if (!parsed) {
    findings.add(std::move(parsed).error());
    return false;
  }
  into = std::move(*parsed);
  return true;
}

/// Moves the content of `part` into `whole`. A key in both is an error that names both places;
/// arrays of tables ([[domain]], [[route]], …) are joined.
void merge(toml::table& whole, toml::table& part, Findings& findings) {
  for (auto&& [key, node] : part) {
    toml::node* existing = whole.get(key.str());
    if (!existing) {
      whole.insert(key, std::move(node));
      continue;
    }
    toml::array* joined = existing->as_array();
    toml::array* added = node.as_array();
    if (joined && added && joined->is_array_of_tables() && added->is_array_of_tables()) {
      for (auto&& element : *added) joined->push_back(std::move(element));
      continue;
    }
    const base::SourcePosition first = position_of(existing->source());
    findings.add(
        position_of(key.source()), ProblemCode::Duplicate,
        fmt::format("{}: set already at {}:{}:{}", key.str(), first.file, first.line, first.column),
        {}, key.str().size());
  }
}

/// Warns that an include finds no file. Aliases in a missing file are answered 550, but it is no
/// error: a host that works must start again after a reboot.
void warn_of_absent(const std::string& pattern, const std::string& path,
                    const base::SourcePosition& at, Findings& findings) {
  const std::filesystem::path wanted(relative_to(pattern, path));
  if (has_wildcard(pattern)) {
    findings.warn(at, "include: no file matches \"" + pattern + '"', {}, pattern.size() + 2);
    return;
  }
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(
           wanted.has_parent_path() ? wanted.parent_path() : ".", ignored)) {
    names.push_back(entry.path().filename().string());
  }
  const std::string near = base::closest(wanted.filename().string(), names);
  findings.warn(at, fmt::format("include: there is no {}: what it sets is not in force", pattern),
                near.empty() ? "" : fmt::format("did you mean {}?", near), pattern.size() + 2);
}

void include_files(toml::table& root, const std::string& path, std::string& all_text,
                   Findings& findings) {
  std::vector<std::string> patterns;
  Section section(root, "", findings);
  section.texts("include", patterns);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    const base::SourcePosition at = section.at("include", i);
    const std::string whole = relative_to(pattern, path);
    findings.name_folder(fixed_folder_of(whole));
    const Matches matches = files_matching(whole);
    for (const FileError& error : matches.errors) {
      findings.add(at, error.code, "include: " + error.text, {}, pattern.size() + 2);
    }
    const auto& files = matches.files;
    if (files.empty() && matches.errors.empty()) warn_of_absent(pattern, path, at, findings);
    for (const std::string& file : files) {
      toml::table part;
      if (!parse_file(file, at, part, all_text, findings)) continue;
      if (part.contains("include")) {
        findings.add(position_of(part.get("include")->source()), ProblemCode::Value,
                     "an included file cannot include others");
        part.erase("include");
      }
      merge(root, part, findings);
    }
  }
}

void read_root(Section& root, Settings& settings) {
  std::int64_t schema = 1;
  root.number("schema", schema, 1, 1);
  root.allow("include");
  std::optional<mail::Domain> hostname;
  root.domain("hostname", hostname);
  if (!root.has("hostname")) {
    root.problem("hostname", ProblemCode::Missing, "the name of this host is required");
  }
  if (hostname) settings.hostname = hostname->folded();
  settings.hostname_at = root.place("hostname");
  root.number("threads", settings.threads, 0, 256);
  read_listeners(root, settings.listeners);
  read_limits(root, settings.limits);
  read_tls(root, settings.tls);
  read_dns(root, settings.dns);
  read_auth(root, settings.hostname, settings.auth);
  read_proofs(root, settings);
  read_gateways(root, settings.auth, settings.gateways);
  read_defaults(root, settings.defaults);
  read_domains(root, settings.domains);
  read_srs(root, settings.srs, settings.bounces);
  read_dkim(root, settings.dkim);
  read_routes(root, settings.routes);
  read_providers(root, settings.providers);
  read_dns_lists(root, settings.dns_lists);
  read_abuse(root, settings.abuse);
  read_greylist(root, settings.greylist);
  read_rates(root, settings.rates);
  read_consent(root, settings.defaults, settings.consent);
  read_outbound(root, settings.outbound);
  read_leaving(root, settings.auth.verify, settings, settings.notices);
  read_queue(root, settings.queue, settings.retry);
  read_log(root, settings.srs.domain.has_value(), settings.log);
  read_control(root, settings.control);
  check_identities(root, settings);
  check_listeners(root, settings.listeners, settings.tls.has_value());
  root.finish();
}

/// Nobody reads the mail of an alias that refuses or discards. The alias of this name counts, not
/// the catch-all; of two with one name, the first.
bool has_postmaster(const HostedDomain& domain) {
  const auto reads = [](const Alias& alias) { return !alias.reject && !alias.discard; };
  const auto named = [&](std::string_view name) {
    return std::ranges::find(domain.aliases, name, &Alias::local_part);
  };
  if (const auto exact = named("postmaster"); exact != domain.aliases.end()) return reads(*exact);
  if (domain.map_to) return true;
  const auto all = named("*");
  return all != domain.aliases.end() && reads(*all);
}

/// Domains whose postmaster@ nobody reads. Our own names come first: receivers of our mail look for
/// their postmaster, and some refuse all mail when there is none.
std::vector<std::string> without_postmaster(const Settings& settings) {
  std::vector<std::string> own;
  for (const mail::Domain& domain : settings.srs_domains()) own.push_back(domain.folded());
  if (std::ranges::find(own, settings.hostname) == own.end()) own.push_back(settings.hostname);
  std::vector<std::string> names = own;
  for (const HostedDomain& domain : settings.domains) {
    if (std::ranges::find(own, domain.text()) == own.end()) names.push_back(domain.text());
  }
  const HostedDomains hosted(settings);
  std::erase_if(names, [&](const std::string& name) {
    const HostedDomain* domain = hosted.find(name);
    return domain != nullptr && has_postmaster(*domain);
  });
  return names;
}

void warn_of_postmaster(const Settings& settings, Findings& findings) {
  const base::SourcePosition whole{settings.file, 0, 0};
  if (const auto& postmaster = settings.defaults.postmaster) {
    const bool hosted = HostedDomains(settings).find(postmaster->domain().folded()) != nullptr;
    const bool here = postmaster->domain().folded() == settings.hostname ||
                      settings.is_srs_domain(postmaster->domain());
    if (here && !hosted) {
      findings.warn(whole, fmt::format("defaults.postmaster: {} leads back to this host, where it "
                                       "is no alias: nobody reads it",
                                       postmaster->to_string()));
    }
    return;
  }
  const auto names = without_postmaster(settings);
  if (names.empty()) return;
  constexpr std::size_t kMaxNamed = 10;  // nobody reads a longer list
  std::string named;
  for (const std::string& name : names | std::views::take(kMaxNamed)) {
    named += (named.empty() ? "postmaster@" : ", postmaster@") + name;
  }
  if (names.size() > kMaxNamed) named += fmt::format(" and {} more", names.size() - kMaxNamed);
  findings.warn(whole,
                fmt::format("nobody reads {} (RFC 5321 §4.5.1); set [defaults] postmaster", named));
}

void warn_of_gaps(const Settings& settings, Findings& findings) {
  const base::SourcePosition whole{settings.file, 0, 0};
  std::uint64_t most = 0;
  for (const DnsList& list : settings.dns_lists) most += list.allows ? 0 : list.weight;
  if (most > 0 && most < settings.abuse.dns_list_refuse) {
    findings.warn(whole, fmt::format("all [[dns_list]] together reach {}, never abuse.dns_list_"
                                     "refuse = {}: no client is refused",
                                     most, settings.abuse.dns_list_refuse));
  }
  if (!settings.srs.domain) {
    findings.warn(whole, "no [srs]: forwarded mail keeps its sender and will fail SPF");
  }
  if (settings.arc.sealer && !settings.auth.verify) {
    findings.warn(whole, "[auth] verify is off: nothing is known that [arc] could seal");
  }
  if (settings.rates.per_signature.count > 0 && !settings.auth.verify) {
    findings.warn(whole,
                  "[auth] verify is off: no signature is known that [rates] per_signature "
                  "could count");
  }
  warn_of_postmaster(settings, findings);
}

}  // namespace

std::expected<Loaded, std::vector<Problem>> load(const std::string& path) {
  Findings findings;
  auto settings = std::make_shared<Settings>();
  settings->file = path;
  std::string all_text;
  toml::table root;
  if (!parse_file(path, {path, 0, 0}, root, all_text, findings)) {
    return std::unexpected(findings.all());
  }
  include_files(root, path, all_text, findings);
  Section section(root, "", findings);
  read_root(section, *settings);
  settings->sources = findings.sources();
  check_alias_chains(*settings, findings);
  settings->hash = hash_of(all_text);
  settings->named_files = findings.named_files();
  settings->named_folders = findings.named_folders();
  if (findings.has_errors()) return std::unexpected(findings.all());
  warn_of_gaps(*settings, findings);
  warn_of_unconfirmed(*settings, findings);
  return Loaded{std::move(settings), findings.all()};
}

}  // namespace relay::settings
