#include "tests/architecture/rules.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>

#include <re2/re2.h>

namespace relay::architecture {

namespace {

using Names = std::set<std::string, std::less<>>;

// Floor by floor; a room sees lower floors only, and of them only these.
const std::map<std::string, Names, std::less<>> kMayInclude{
    {"base", {}},
    {"mail", {"base"}},
    {"smtp", {"base", "mail"}},
    {"forward", {"base", "mail"}},
    {"settings", {"base", "mail", "smtp", "forward"}},
    {"ports", {"base", "mail"}},
    {"auth", {"base", "mail", "ports"}},
    {"dns", {"base", "mail", "ports"}},
    {"net", {"base", "mail", "ports"}},
    {"spool", {"base", "mail", "ports"}},
    {"inbound", {"base", "mail", "smtp", "forward", "ports", "auth"}},
    {"delivery", {"base", "mail", "smtp", "forward", "ports", "auth"}},
    {"ops", {"base", "mail", "ports"}},
    {"review", {"base", "mail", "smtp", "settings", "forward", "ports", "auth"}},
    {"app",
     {"base", "mail", "smtp", "settings", "forward", "ports", "auth", "dns", "net", "spool",
      "inbound", "delivery", "ops", "review"}},
};

// The SRS library stands outside the tower.
const Names kMaySeeSrs{"settings", "forward", "app"};

// Concrete adapters are named by the composition root alone; of it, the beginning of the path.
const std::map<std::string, std::string, std::less<>> kAdapters{
    {"dns", "app/wiring"}, {"net", "app/wiring"}, {"spool", "app/wiring_store"}};

struct Library {
  const char* header;  ///< beginning of what stands between the brackets
  Names rooms;
};

// A library has one door into the house, or few.
const std::vector<Library> kLibraries{
    {"toml++/", {"settings"}},
    {"sqlite3.h", {"spool"}},
    {"unbound.h", {"dns"}},
    {"openssl/ssl.h", {"net"}},
    {"boost/json", {"ops", "app"}},
    {"CLI/", {"app"}},
    {"libpsl.h", {"auth"}},
    {"idn2.h", {"mail"}},
    {"unicase.h", {"mail"}},
    {"uninorm.h", {"mail"}},
    {"systemd/", {"app", "net"}},
    {"re2/", {"settings", "forward", "review"}},
    {"regex", {}},
    {"boost/asio/detached", {}},
    {"boost/asio/read_until", {}},
    {"iostream", {"app"}},
};

struct Ban {
  const char* pattern;
  const char* why;
  Names but_for;  ///< paths where it is right
};

// On code only: comments and strings are cut out before.
const std::vector<Ban> kBans{
    {R"(\bdetached\b)", "detached swallows exceptions: spawn_supervised()", {}},
    {R"(\basync_read_until\b)", "reads without a limit of its own: ports::Stream::read_some()", {}},
    {R"(\bstd::regex\b)", "time without bound on hostile text: RE2 or a parser", {}},
    {R"(\b(system|popen|execl|execlp|execle|execv|execvp|execve|fork|posix_spawn)\()",
     "no other program is ever started",
     {}},
    {R"(\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|mktemp|tmpnam)\()",
     "unbounded or silent about errors",
     {}},
    {R"(\bsrand\(|\brand\()", "not random", {}},
    {R"(\bstd::(format|print|println)\b)", "not in this standard library", {}},
    {R"(\busing namespace std;)", "names their namespace", {}},
    {R"(\benable_shared_from_this\b)", "lifetimes are owned, not shared", {}},
    {R"(\b(system_clock|steady_clock)::now\()",
     "time comes from ports::Clock or as an argument",
     {"relay/net/system_clock.cpp", "relay/net/deadline_wheel.cpp", "relay/net/lingering.cpp",
      "relay/base/time.hpp", "relay/dns/lookup_queue.cpp", "relay/app/wall_now.hpp"}},
    {R"(\brandom_device\b)", "seeds come from the composition root", {"relay/app/wiring.cpp"}},
    {R"(\bgetenv\()",
     "settings come from the configuration",
     {"relay/settings/read_keys.cpp", "relay/base/log_file.cpp", "relay/app/file_bounds.cpp"}},
};

// In comments. A number of a list that is not in the repository tells its reader nothing.
constexpr const char* kListed = R"(\b([A-Z]-?[0-9]{1,2})\b)";
constexpr const char* kCounted = R"(\b(?:rule|contract|property|decision|finding)s? [0-9])";
// What looks like one and is a name: the sets of control characters (ISO 6429).
const Names kRealNames{"C0", "C1"};

constexpr const char* kOurInclude = R"re(^#include "([^"]+)")re";
constexpr const char* kTheirInclude = R"(^#include <([^>]+)>)";
constexpr int kMaxLines = 320;

/// Each pattern is made once, not once a line. The key is a literal's address.
const RE2& compiled(const char* pattern) {
  static std::map<const char*, std::unique_ptr<RE2>> made;
  auto& expression = made[pattern];
  if (!expression) expression = std::make_unique<RE2>(pattern);
  return *expression;
}

std::string room_of(std::string_view path) {
  std::string room;
  RE2::PartialMatch(path, R"(^relay/([a-z]+)/)", &room);
  return room;
}

/// As the folders are called: "relay::auth::dkim".
std::string namespace_of(std::string_view path) {
  std::string space(path.substr(0, path.rfind('/')));
  RE2::GlobalReplace(&space, "/", "::");
  return space;
}

std::string without_literals(std::string_view line) {
  std::string bare(line);
  static const RE2 literal(R"("(\\.|[^"\\])*")");
  RE2::GlobalReplace(&bare, literal, R"("")");
  return bare;
}

/// The comment of a line, with what it quotes; "" without one.
std::string comment_of(const std::string& line) {
  const bool alone = RE2::PartialMatch(line, R"(^\s*//)");
  const std::string bare = alone ? line : without_literals(line);
  const auto comment = bare.find("//");
  return comment == std::string::npos ? std::string() : bare.substr(comment);
}

/// The line without its comment and without what its string literals say.
std::string code_of(std::string_view line) {
  const std::string code = without_literals(line);
  const auto comment = code.find("//");
  return comment == std::string::npos ? code : code.substr(0, comment);
}

std::optional<std::string> broken_by_include(std::string_view path, const std::string& room,
                                             const std::string& line) {
  std::string target;
  if (RE2::PartialMatch(line, compiled(kOurInclude), &target)) {
    std::string other;
    if (RE2::FullMatch(target, R"(relay/([a-z]+)/.*)", &other)) {
      if (path.starts_with("srs/")) return "srs/ knows nothing of the relay";
      if (other != room && !kMayInclude.at(room).contains(other)) {
        return room + " must not see " + other;
      }
      const auto by = kAdapters.find(other);
      if (room == "app" && by != kAdapters.end() && !path.starts_with("relay/" + by->second))
        return "only " + by->second + " names " + other;
      return std::nullopt;
    }
    if (target.starts_with("srs/")) {
      if (path.starts_with("srs/") || kMaySeeSrs.contains(room)) return std::nullopt;
      return room + " must not see srs";
    }
    return "includes are written from the root of the project";
  }
  if (!RE2::PartialMatch(line, compiled(kTheirInclude), &target)) return std::nullopt;
  if (path.starts_with("srs/") && target.starts_with("boost/")) return "srs/ is without Boost";
  for (const auto& [header, rooms] : kLibraries) {
    if (target.starts_with(header) && !rooms.contains(room)) {
      return "<" + target + "> has no business here";
    }
  }
  return std::nullopt;
}

std::optional<std::string> broken_by_code(std::string_view path, const std::string& code) {
  for (const auto& [pattern, why, but_for] : kBans) {
    if (but_for.contains(path)) continue;
    if (RE2::PartialMatch(code, compiled(pattern))) return std::string(why) + ": " + code;
  }
  return std::nullopt;
}

/// What breaks a promise on purpose is put between the parts by tests (tests/controls), not into
/// them: no comment and no literal of theirs needs the word.
std::optional<std::string> broken_by_word(const std::string& line) {
  if (!RE2::PartialMatch(line, compiled(R"((?i)sabotag)"))) return std::nullopt;
  return "sabotage stands around ports, in tests/controls";
}

std::optional<std::string> broken_by_comment(const std::string& comment) {
  std::string name;
  for (re2::StringPiece rest(comment); RE2::FindAndConsume(&rest, compiled(kListed), &name);) {
    if (!kRealNames.contains(name)) return "say in words what " + name + " is";
  }
  if (RE2::PartialMatch(comment, compiled(kCounted))) return "say the rule, not its number";
  return std::nullopt;
}

/// Paths of what a source includes of our own, in order.
std::vector<std::string> includes_of(std::string_view text) {
  static const RE2 include(std::string("(?m)") + kOurInclude);
  std::vector<std::string> found;
  re2::StringPiece rest(text.data(), text.size());
  for (std::string path; RE2::FindAndConsume(&rest, include, &path);) found.push_back(path);
  return found;
}

using Includes = std::map<std::string, std::vector<std::string>, std::less<>>;

/// For each room that `path` reaches, the shortest chain of includes to it, as a text.
std::map<std::string, std::string> rooms_reached(const std::string& path,
                                                 const Includes& includes) {
  std::map<std::string, std::string> chains;  // by file
  std::map<std::string, std::string> rooms;
  std::vector<std::string> next{path};
  for (std::size_t i = 0; i < next.size(); ++i) {
    const std::string file = next[i];
    const std::string chain = chains[file];
    rooms.try_emplace(room_of(file), chain);
    const auto at = includes.find(file);
    if (at == includes.end()) continue;
    for (const std::string& included : at->second) {
      const bool is_new = chains.try_emplace(included, chain + " > " + included).second;
      if (is_new && included != path) next.push_back(included);
    }
  }
  return rooms;
}

/// A unit's own header is its first include, so that each header is seen to stand alone.
std::optional<std::string> broken_by_order(std::string_view path, std::string_view text) {
  if (!path.ends_with(".cpp")) return std::nullopt;
  const std::string own = std::string(path.substr(0, path.size() - 4)) + ".hpp";
  const auto at = text.find("#include \"" + own + '"');
  if (at == std::string_view::npos || at == text.find("#include")) return std::nullopt;
  return "own header comes first";
}

}  // namespace

std::vector<std::string> violations(std::string_view path, std::string_view text) {
  std::vector<std::string> found;
  const std::string room = room_of(path);
  if (path.starts_with("relay/") && !kMayInclude.contains(room)) return {"no such room"};
  int number = 0;
  while (!text.empty()) {
    if (number == 0) {
      if (auto broken = broken_by_order(path, text)) found.push_back(*broken);
      if (path.ends_with(".hpp") && text.find("#pragma once") == std::string_view::npos) {
        found.emplace_back("a header without #pragma once");
      }
      const std::string space = namespace_of(path);
      if (!path.ends_with("main.cpp") && !path.ends_with("_pch.cpp") &&
          !path.ends_with("_pch.hpp") &&
          text.find("namespace " + space) == std::string_view::npos) {
        found.push_back("namespace mirrors folder: " + space);
      }
    }
    const auto end = std::min(text.find('\n'), text.size() - 1);
    const std::string line(text.substr(0, end));
    text.remove_prefix(end + 1);
    ++number;
    auto broken = broken_by_include(path, room, line);
    if (!broken) broken = broken_by_code(path, code_of(line));
    if (!broken) broken = broken_by_comment(comment_of(line));
    if (!broken) broken = broken_by_word(line);
    if (broken) found.push_back(std::to_string(number) + ": " + *broken);
  }
  if (number > kMaxLines) found.push_back(std::to_string(number) + " lines: it is two things");
  return found;
}

std::vector<std::string> hidden_includes(const Sources& sources) {
  Includes includes;
  for (const auto& [path, text] : sources) includes.emplace(path, includes_of(text));
  std::vector<std::string> found;
  for (const auto& [path, text] : sources) {
    const std::string room = room_of(path);
    const auto allowed = kMayInclude.find(room);
    if (allowed == kMayInclude.end()) continue;  // srs/ sees nothing of the relay
    for (const auto& [other, chain] : rooms_reached(path, includes)) {
      if (other.empty() || other == room || allowed->second.contains(other)) continue;
      found.push_back(room + " must not reach " + other + ": " + path + chain);
    }
  }
  return found;
}

std::vector<std::string> guarded_libraries() {
  std::vector<std::string> headers;
  for (const Library& library : kLibraries) headers.emplace_back(library.header);
  return headers;
}

std::vector<std::string> rooms_seen(std::string_view cmake_text) {
  std::string list;
  RE2::PartialMatch(cmake_text, R"(SEES\s+([a-z\s]+))", &list);
  std::vector<std::string> rooms;
  re2::StringPiece rest(list);
  for (std::string room; RE2::FindAndConsume(&rest, R"(([a-z]+))", &room);) rooms.push_back(room);
  return rooms;
}

std::vector<std::string> rooms_allowed(std::string_view room) {
  const auto at = kMayInclude.find(room);
  if (at == kMayInclude.end()) return {};
  return {at->second.begin(), at->second.end()};
}

}  // namespace relay::architecture
