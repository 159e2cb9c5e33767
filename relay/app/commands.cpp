#include "relay/app/commands.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>

#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/app/policies.hpp"
#include "relay/app/srs_verbs.hpp"
#include "relay/ops/json_line.hpp"
#include "relay/settings/loader.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

base::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void print_problems(const std::vector<settings::Problem>& problems) {
  for (const auto& problem : problems) std::cerr << render(problem) << '\n';
}

std::string json_of(const settings::Problem& problem) {
  ops::JsonLine json;
  json.text("severity", problem.warning ? "warning" : "error").text("file", problem.at.file);
  json.number("line", std::uint64_t{problem.at.line});
  json.number("column", std::uint64_t{problem.at.column});
  json.number("code", static_cast<std::uint64_t>(problem.code)).text("text", problem.text);
  if (!problem.hint.empty()) json.text("hint", problem.hint);
  return std::move(json).line();
}

/// The settings of --config, or nullptr with every problem printed.
std::shared_ptr<const settings::Settings> load_or_print(const std::string& path) {
  auto loaded = settings::load(path);
  if (loaded) return loaded->settings;
  print_problems(loaded.error());
  return nullptr;
}

bool write_private_file(const std::string& path, const std::string& content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written =
      ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(fd) == 0;
  ::close(fd);
  return written;
}

}  // namespace

int check(const Invocation& call) {
  const std::string path = call.words.empty() ? call.config : call.words.front();
  auto loaded = settings::load(path);
  std::vector<settings::Problem> problems = loaded ? loaded->warnings : loaded.error();
  if (loaded) {
    // Keys and patterns are opened as a start would open them.
    if (auto policies = make_policies(loaded->settings); !policies) {
      problems.push_back(
          {.at = {.file = path}, .code = settings::ProblemCode::File, .text = policies.error()});
    }
  }
  const auto errors = std::ranges::count(problems, false, &settings::Problem::warning);
  const auto warnings = static_cast<std::ptrdiff_t>(problems.size()) - errors;
  if (call.json) {
    for (const auto& problem : problems) std::cout << json_of(problem);
    std::cout << json::serialize(json::object{{"v", 1}, {"errors", errors}, {"warnings", warnings}})
              << '\n';
  } else {
    print_problems(problems);
    std::cout << fmt::format("{} error{}, {} warning{}\n", errors, errors == 1 ? "" : "s", warnings,
                             warnings == 1 ? "" : "s");
  }
  return errors == 0 ? kExitOk : kExitNegative;
}

int resolve(const Invocation& call) {
  const auto settings = load_or_print(call.config);
  if (!settings) return kExitConfig;
  const auto planner = forward::Planner::make(settings);
  if (!planner) {
    std::cerr << "srs-relay: " << planner.error() << '\n';
    return kExitConfig;
  }
  int exit = kExitOk;
  for (const std::string& word : call.words) {
    const auto path = mail::parse_forward_path('<' + word + '>');
    json::object out{{"v", 1}, {"address", word}};
    if (!path) {
      out["error"] = mail::describe(path.error());
    } else {
      const auto found = (*planner)->resolve(*path, mail::ReversePath::null(), wall_now());
      if (const auto* taken = std::get_if<forward::ResolvedRecipient>(&found)) {
        out["rule"] = taken->rule;
        json::array targets;
        for (const auto& target : taken->targets) targets.emplace_back(target.to_string());
        out["targets"] = std::move(targets);
        json::array awaits;
        for (const auto& address : (*planner)->awaited(*taken)) awaits.emplace_back(address);
        out["awaits_consent"] = std::move(awaits);
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
    if (out.contains("targets")) {
      for (const auto& target : out["targets"].as_array()) {
        std::cout << " -> " << target.as_string().c_str();
      }
      for (const auto& address : out["awaits_consent"].as_array()) {
        std::cout << "\n  held: " << address.as_string().c_str() << " has not confirmed";
      }
    }
    std::cout << '\n';
  }
  return exit;
}

int srs(const Invocation& call) {
  const auto settings = load_or_print(call.config);
  if (!settings) return kExitConfig;
  const auto senders = forward::SenderRewrite::make(*settings);
  if (!senders || !senders->rewriter()) {
    std::cerr << "srs-relay: " << (senders ? "no [srs] is configured" : senders.error()) << '\n';
    return kExitConfig;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
  int exit = kExitOk;
  const auto one = [&](const std::string& address) {
    std::string out;
    exit =
        std::max(exit, srs_line(call.action, address, *senders->rewriter(), now, call.json, out));
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
    std::cerr << "srs-relay: not a domain or selector\n";
    return kExitUsage;
  }
  const auto key = PrivateKey::generate(call.key_type == "rsa" ? KeyType::Rsa : KeyType::Ed25519);
  if (!key) {
    std::cerr << "srs-relay: " << key.error() << '\n';
    return kExitTemporary;
  }
  if (!write_private_file(call.out_file, key->private_pem())) {
    std::cerr << "srs-relay: cannot write " << call.out_file << ": " << std::strerror(errno)
              << '\n';
    return errno == EACCES ? kExitPermission : kExitNegative;
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
