#include "relay/app/commands.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "relay/app/complaint.hpp"
#include "relay/app/policies.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/srs_verbs.hpp"
#include "relay/app/wall_now.hpp"
#include "relay/base/private_file.hpp"
#include "relay/base/text.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

/// The settings of --config; nullptr after printing every problem.
std::shared_ptr<const settings::Settings> load_or_complain(const Invocation& call) {
  auto read = load_and_recall(call.config);
  if (read) return read->loaded.settings;
  complain(call.json, read.error());
  return nullptr;
}

}  // namespace

namespace {

template <class Range, class Text>
json::array array_of(const Range& range, Text text) {
  json::array made;
  for (const auto& one : range) made.emplace_back(text(one));
  return made;
}

void describe(const forward::ResolvedRecipient& taken, const forward::Planner& planner,
              json::object& out) {
  const auto text = [](const mail::Mailbox& address) { return address.to_string(); };
  out["rule"] = taken.rule;
  out["targets"] = array_of(taken.targets, text);
  json::object limits;
  for (std::size_t i = 0; i < taken.targets.size(); ++i) {
    const std::uint64_t most = taken.terms_of(i).max_size;
    if (most > 0) limits[taken.targets[i].to_string()] = most;
  }
  out["max_size"] = std::move(limits);
  json::array fallbacks;
  for (const forward::Fallback& fallback : taken.fallbacks) {
    for (const auto& target : fallback.targets) fallbacks.emplace_back(target.to_string());
  }
  out["fallbacks"] = std::move(fallbacks);
  out["awaits_consent"] = array_of(planner.directory().awaited(taken),
                                   [](const std::string& address) { return address; });
  out["discards"] = array_of(taken.discards, text);
  json::array dead;
  for (const forward::DeadMember& one : taken.dead) {
    dead.push_back(
        json::object{{"address", one.address}, {"why", one.why}, {"fallback", one.is_fallback}});
  }
  out["dead"] = std::move(dead);
}

/// Prints the same for people, after the address.
void print_taken(const json::object& out) {
  for (const auto& target : out.at("targets").as_array()) {
    std::cout << " -> " << target.as_string().c_str();
  }
  for (const auto& [target, octets] : out.at("max_size").as_object()) {
    std::cout << "\n  at most " << octets.to_number<std::uint64_t>() << " octets: " << target;
  }
  for (const auto& target : out.at("fallbacks").as_array()) {
    std::cout << "\n  when all fail or none is delivered in time: " << target.as_string().c_str();
  }
  for (const auto& alias : out.at("discards").as_array()) {
    std::cout << "\n  discarded: " << alias.as_string().c_str() << " throws its mail away";
  }
  for (const auto& dead : out.at("dead").as_array()) {
    const auto& one = dead.as_object();
    std::cout << "\n  without " << (one.at("fallback").as_bool() ? "fallback " : "")
              << one.at("address").as_string().c_str() << ": " << one.at("why").as_string().c_str();
  }
  for (const auto& address : out.at("awaits_consent").as_array()) {
    std::cout << "\n  held: " << address.as_string().c_str() << " has not confirmed";
  }
}

}  // namespace

int resolve(const Invocation& call) {
  const auto settings = load_or_complain(call);
  if (!settings) return kExitConfig;
  const auto planner = forward::Planner::make(settings);
  if (!planner) {
    return complain(call.json, planner.error(), kExitConfig);
  }
  int exit = kExitOk;
  for (const std::string& word : call.words) {
    const auto path = mail::parse_forward_path('<' + word + '>');
    json::object out{{"v", 1}, {"address", word}};
    if (!path) {
      out["error"] = mail::describe(path.error());
    } else {
      const auto found = (*planner)->directory().resolve(*path, wall_now());
      if (const auto* taken = std::get_if<forward::ResolvedRecipient>(&found)) {
        describe(*taken, **planner, out);
      } else if (const auto* refused = std::get_if<forward::Rejection>(&found)) {
        out["error"] =
            fmt::format("{} {} {}", refused->code, refused->status.to_string(), refused->text);
      } else {
        out["rule"] = "stored sender";
      }
    }
    if (out.contains("error")) exit = kExitNegative;
    if (call.json) {
      std::cout << json::serialize(out) << '\n';
      continue;
    }
    std::cout << word << "  ";
    if (out.contains("error")) {
      std::cout << out["error"].as_string().c_str() << '\n';
      continue;
    }
    std::cout << "[" << out["rule"].as_string().c_str() << "]";
    if (out.contains("targets")) print_taken(out);
    std::cout << '\n';
  }
  return exit;
}

int srs(const Invocation& call) {
  const auto settings = load_or_complain(call);
  if (!settings) return kExitConfig;
  const auto senders = forward::SenderRewrite::make(*settings);
  if (!senders || !senders->rewriter()) {
    return complain(call.json, senders ? "no [srs] is configured" : senders.error(), kExitConfig);
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
  int exit = kExitOk;
  const auto one = [&](const std::string& address) {
    std::string out;
    const std::string domain = base::lower(address.substr(address.rfind('@') + 1));
    const srs::Rewriter& rewriter = *senders->rewriter_of(domain);
    exit = std::max(exit, srs_line(call.action, address, rewriter, now, call.json, out));
    std::cout << out << '\n';
  };
  for (const std::string& address : call.words) one(address);
  if (call.words.empty()) {
    for (std::string line; std::getline(std::cin, line);) one(line);
  }
  return exit;
}

int dkim_new(const Invocation& call) {
  using auth::dkim::KeyType;
  using auth::dkim::PrivateKey;
  const auto domain = mail::Domain::parse(call.domain);
  const auto selector = mail::Domain::parse(call.selector);
  if (!domain || !selector) {
    return complain(call.json, "not a domain or selector", kExitUsage);
  }
  const auto key = PrivateKey::generate(call.key_type == "rsa" ? KeyType::Rsa : KeyType::Ed25519);
  if (!key) {
    return complain(call.json, key.error(), kExitTemporary);
  }
  if (!base::write_private_file(call.out_file, key->private_pem(), base::IfThere::Fail)) {
    const int why = errno;
    return complain(call.json, "cannot write " + call.out_file + ": " + std::strerror(why),
                    why == EACCES ? kExitPermission : kExitNegative);
  }
  const std::string owner = selector->folded() + "._domainkey." + domain->folded();
  if (call.json) {
    std::cout << json::serialize(json::object{{"v", 1},
                                              {"name", owner},
                                              {"type", "TXT"},
                                              {"value", key->dns_record()},
                                              {"file", call.out_file}})
              << '\n';
  } else {
    std::cout << auth::dkim::zone_line(owner, key->dns_record()) << '\n';
  }
  return kExitOk;
}

}  // namespace relay::app
