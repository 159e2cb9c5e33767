#include "relay/app/wiring_parts.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include "relay/app/endpoints.hpp"
#include "relay/app/log_sink.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/wiring_store.hpp"
#include "relay/net/control_listener.hpp"
#include "relay/net/listener.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

using settings::Problem;
using settings::ProblemCode;

// Usually enough time for a program that writes several files one after the other.
constexpr int kMostTries = 3;
constexpr std::chrono::milliseconds kPause{100};

/// Folders that systemd creates when the unit starts; before that only root could.
bool is_made_by_the_unit(const std::filesystem::path& folder) {
  std::error_code ignored;
  return (folder == "/var/lib/srs-relay" || folder == "/run/srs-relay") &&
         !std::filesystem::exists(folder, ignored);
}

/// `text` is a sentence about the configuration as a whole.
void add_whole(settings::Findings& findings, const settings::Settings& settings, std::string text) {
  findings.add({settings.file, 0, 0}, ProblemCode::File, std::move(text));
}

void make_tls(Parts& parts, settings::Findings& findings) {
  const settings::Settings& settings = *parts.settings;
  const auto shared = [&](net::TlsContext&& context) {
    return std::make_shared<const net::TlsContext>(
        std::move(context).allowing_late_messages(settings.limits.late_tls_messages));
  };
  if (settings.tls) {
    const auto& [certificate, key] = *settings.tls;
    auto context = net::TlsContext::server(net::TlsTexts{.chain = certificate.text.reveal(),
                                                         .key = key.text.reveal(),
                                                         .chain_name = certificate.name,
                                                         .key_name = key.name});
    if (context) {
      parts.server_tls = shared(std::move(*context));
    } else {
      const bool about_key = context.error().starts_with(key.name + ':');
      findings.add(position_of(settings, about_key ? key.at : certificate.at), ProblemCode::File,
                   "tls: " + context.error());
    }
  }
  std::optional<std::filesystem::path> authorities;
  if (!settings.outbound.ca_file.empty()) authorities = settings.outbound.ca_file;
  auto opportunistic = net::TlsContext::client(mail::TlsLevel::May);
  auto encrypting = net::TlsContext::client(mail::TlsLevel::Encrypt);
  auto verify = net::TlsContext::client(mail::TlsLevel::Verify, authorities);
  if (!opportunistic) add_whole(findings, settings, "tls: " + opportunistic.error());
  if (!verify) add_whole(findings, settings, "outbound.ca_file: " + verify.error());
  if (!encrypting) add_whole(findings, settings, "tls: " + encrypting.error());
  if (!opportunistic || !encrypting || !verify) return;
  parts.client_tls = {shared(std::move(*opportunistic)), shared(std::move(*encrypting)),
                      shared(std::move(*verify))};
}

void judge_places(const settings::Settings& settings, settings::Findings& findings) {
  const auto add_if = [&](const std::expected<void, std::string>& good) {
    if (!good) add_whole(findings, settings, good.error());
  };
  add_if(LogSink::look_at(settings.log.file));
  if (!objection_to_store(settings.queue) &&
      !is_made_by_the_unit(std::filesystem::path(settings.queue.path).parent_path())) {
    add_if(look_at_store(settings.queue));
  }
  if (!is_made_by_the_unit(std::filesystem::path(settings.control.socket).parent_path())) {
    add_if(net::ControlListener::look_at(settings.control.socket));
  }
  if (auto local = net::Listener::check_local(endpoints_of(settings.listeners)); !local) {
    add_whole(findings, settings, "cannot listen on " + local.error());
  }
  boost::asio::io_context nowhere;
  if (auto resolver = open_resolver(nowhere, settings); !resolver) {
    add_whole(findings, settings, "dns: " + resolver.error());
  }
}

void judge_store(const settings::Settings& settings, settings::Findings& findings) {
  if (const auto why = objection_to_store(settings.queue)) {
    findings.add(position_of(settings, settings.queue.store_at), ProblemCode::Value,
                 "queue.store: " + *why);
  }
}

/// The keys have been parsed: their texts must not stay in memory.
void forget_key_texts(settings::Settings& settings) {
  for (forward::DkimDomain& domain : settings.dkim) {
    for (forward::DkimKey& key : domain.keys) key.key.text = base::Secret();
  }
  if (settings.tls) settings.tls->key.text = base::Secret();
  if (settings.arc.sealer) settings.arc.sealer->key = base::Secret();
}

Parts make_parts_once(const std::string& config_path, Places places, const GivenSockets& given,
                      const std::optional<review::ClassicBefore>& running) {
  Parts parts;
  auto read = load_and_recall(config_path, running);
  if (!read) {
    parts.problems = std::move(read.error());
    return parts;
  }
  settings::Findings findings;
  settle_listeners(*read->loaded.settings, given, findings);
  const std::shared_ptr<settings::Settings> made = std::move(read->loaded.settings);
  parts.settings = made;
  parts.problems = std::move(read->loaded.warnings);
  parts.classic_before = std::move(read->classic_before);
  if (auto policies = make_policies(parts.settings)) {
    parts.policies = std::move(*policies);
  } else {
    for (auto& problem : policies.error()) findings.add(std::move(problem));
  }
  judge_store(*parts.settings, findings);
  make_tls(parts, findings);
  forget_key_texts(*made);
  if (places == Places::Judge) judge_places(*parts.settings, findings);
  parts.problems.insert(parts.problems.end(), findings.all().begin(), findings.all().end());
  return parts;
}

/// The first file that has changed since it was read; "" if none has.
std::string changed_meanwhile(const settings::Settings& settings) {
  for (const settings::NamedFile& file : settings.named_files) {
    if (settings::FileStamp::of(file.path) != file.stamp) return file.path;
  }
  return {};
}

using Stamps = std::map<std::string, settings::FileStamp>;

/// Of the files that could not be used, as they are at this moment.
Stamps stamps_of(const std::string& config_path, const std::vector<Problem>& problems) {
  Stamps stamps{{config_path, settings::FileStamp::of(config_path)}};
  for (const Problem& problem : problems) {
    stamps.try_emplace(problem.at.file, settings::FileStamp::of(problem.at.file));
  }
  return stamps;
}

/// Whether a configuration that could not be read is being written: an editor or a panel empties a
/// file before it fills it.
bool is_being_written(const std::string& config_path, const settings::FileStamp& before,
                      const std::vector<Problem>& problems) {
  const Stamps then = stamps_of(config_path, problems);
  std::this_thread::sleep_for(kPause);
  return then.at(config_path) != before || stamps_of(config_path, problems) != then;
}

}  // namespace

bool Parts::can_start() const {
  return std::ranges::all_of(problems, [](const Problem& problem) { return problem.warning; });
}

std::expected<std::unique_ptr<dns::UnboundResolver>, std::string> open_resolver(
    boost::asio::io_context& home, const settings::Settings& settings) {
  dns::UnboundOptions options{.forward_to = settings.dns.forward_to, .trust_anchor = {}};
  if (!settings.dns.trust_anchor.empty()) options.trust_anchor = settings.dns.trust_anchor;
  return dns::UnboundResolver::open(home, options);
}

Parts make_parts(const std::string& config_path, Places places, const GivenSockets& given,
                 const std::optional<review::ClassicBefore>& running) {
  for (int tries = 1;; ++tries) {
    const auto before = settings::FileStamp::of(config_path);
    Parts parts = make_parts_once(config_path, places, given, running);
    if (!parts.settings) {
      const bool again =
          tries < kMostTries && is_being_written(config_path, before, parts.problems);
      if (again) continue;
      return parts;
    }
    const std::string changed = changed_meanwhile(*parts.settings);
    if (changed.empty()) return parts;
    if (tries == kMostTries) {
      parts.problems.push_back({.at = {changed, 0, 0},
                                .code = ProblemCode::Doubt,
                                .text = "was changed while it was read, again and again: what is "
                                        "in force may be a part of it",
                                .hint = "reload when it is complete",
                                .warning = true});
      return parts;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace relay::app
