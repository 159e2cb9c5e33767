#include "tests/architecture/documents.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>

#include <re2/re2.h>

namespace relay::architecture {

namespace {

using Names = std::set<std::string, std::less<>>;

constexpr std::string_view kEnding = ".md";

/// Calls `what` with each line and its number, from 1.
template <class What>
void for_each_line(std::string_view text, What what) {
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    what(std::string(text.substr(0, end)), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// The same without lines of fenced code, and with the code inside of lines left out.
template <class What>
void for_each_line_of_prose(std::string_view text, What what) {
  static const RE2 code("`[^`]*`");
  bool is_fenced = false;
  for_each_line(text, [&](std::string line, int number) {
    if (line.starts_with("```")) {
      is_fenced = !is_fenced;
      return;
    }
    if (is_fenced) return;
    RE2::GlobalReplace(&line, code, "``");
    what(line, number);
  });
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash));
}

std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// As a path from the root; one that leads out of the project begins with "..".
std::string resolved(std::string_view folder, std::string_view target) {
  auto path = (std::filesystem::path(folder) / target).lexically_normal().generic_string();
  if (path.ends_with('/')) path.pop_back();
  return path;
}

/// A file, or a folder of files.
bool is_there(const std::string& path, const Files& files) {
  if (files.contains(path)) return true;
  const auto next = files.lower_bound(path + '/');
  return next != files.end() && next->first.starts_with(path + '/');
}

bool is_document_there(std::string_view from, std::string_view cited, const Files& files) {
  if (files.contains(resolved("", cited)) || files.contains(resolved(folder_of(from), cited))) {
    return true;
  }
  return !cited.contains('/') &&
         std::ranges::any_of(files, [&](const auto& file) { return name_of(file.first) == cited; });
}

/// The anchor that a heading gets: letters, digits, '-' and '_' stay, blanks become '-'.
std::string anchor_of(std::string heading) {
  static const RE2 link(R"(\[([^\]]*)\]\([^)]*\))");
  RE2::GlobalReplace(&heading, link, R"(\1)");
  std::string anchor;
  for (const char c : heading) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == ' ') anchor += '-';
    if (c == '-' || c == '_' || octet >= 0x80 || (c >= '0' && c <= '9')) anchor += c;
    if (c >= 'a' && c <= 'z') anchor += c;
    if (c >= 'A' && c <= 'Z') anchor += static_cast<char>(c - 'A' + 'a');
  }
  return anchor;
}

Names anchors_in(std::string_view text) {
  static const RE2 heading("#{1,6} +(.*?) *");
  Names anchors;
  bool is_fenced = false;
  for_each_line(text, [&](const std::string& line, int /*number*/) {
    if (line.starts_with("```")) is_fenced = !is_fenced;
    std::string words;
    if (is_fenced || !RE2::FullMatch(line, heading, &words)) return;
    const std::string anchor = anchor_of(words);
    std::string free = anchor;  // headings of the same words are numbered
    for (int i = 1; anchors.contains(free); ++i) free = anchor + '-' + std::to_string(i);
    anchors.insert(free);
  });
  return anchors;
}

struct Link {
  std::string target;  ///< as it is written
  std::string path;    ///< from the root
  std::string anchor;  ///< "": the document as a whole
  int line = 0;
};

/// Those that stay in the project.
std::vector<Link> links_in(std::string_view path, std::string_view text) {
  static const RE2 link(R"re(\]\(([^()\s]+)(?:\s+"[^"]*")?\))re");
  static const RE2 elsewhere("[a-z]+:.*");
  std::vector<Link> links;
  for_each_line_of_prose(text, [&](const std::string& line, int number) {
    std::string target;
    for (re2::StringPiece rest(line); RE2::FindAndConsume(&rest, link, &target);) {
      if (RE2::FullMatch(target, elsewhere)) continue;
      const auto hash = std::min(target.find('#'), target.size());
      const std::string file = target.substr(0, hash);
      links.push_back({.target = target,
                       .path = file.empty() ? std::string(path) : resolved(folder_of(path), file),
                       .anchor = hash < target.size() ? target.substr(hash + 1) : std::string(),
                       .line = number});
    }
  });
  return links;
}

std::optional<std::string> broken(const Link& link, const Files& files) {
  if (!is_there(link.path, files)) return link.target + " is not there";
  if (link.anchor.empty()) return std::nullopt;
  const auto document = files.find(link.path);
  if (document == files.end() || !link.path.ends_with(kEnding)) return std::nullopt;
  if (anchors_in(document->second).contains(link.anchor)) return std::nullopt;
  return link.path + " has no heading for #" + link.anchor;
}

/// What follows a heading of level three, up to the next heading.
struct Section {
  std::string name;
  std::string text;
};

std::vector<Section> sections_in(std::string_view text) {
  static const RE2 heading("(#{1,6}) +(.*?) *");
  std::vector<Section> sections;
  bool is_inside = false;
  for_each_line(text, [&](const std::string& line, int /*number*/) {
    std::string level;
    std::string name;
    if (RE2::FullMatch(line, heading, &level, &name)) {
      is_inside = level.size() == 3;
      if (is_inside) sections.push_back({.name = name, .text = {}});
    } else if (is_inside) {
      sections.back().text += line + '\n';
    }
  });
  return sections;
}

/// The lines of a comment as one line.
std::string with_joined_comments(std::string_view text) {
  static const RE2 next_line(R"(\s*\n\s*(?:///?<?|#)?\s*)");
  std::string joined(text);
  RE2::GlobalReplace(&joined, next_line, " ");
  return joined;
}

constexpr const char* kProof = R"(`((?:tests|scripts)/[\w./-]+)`(?:\s*\(([^)]*)\))?)";

/// The case stands in the file as a word of its own, "test_" in front left out.
bool names(const std::string& test, const std::string& words) {
  return RE2::PartialMatch(test, R"((?:^|\W|\btest_))" + RE2::QuoteMeta(words) + R"((?:$|\W))");
}

}  // namespace

std::vector<std::string> missing_documents(std::string_view path, std::string_view text,
                                           const Files& files) {
  static const RE2 citation(R"(([\w:./-]*[\w-]\.md)\b)");
  std::vector<std::string> found;
  for_each_line(text, [&](const std::string& line, int number) {
    if (!line.contains(kEnding)) return;
    std::string cited;
    for (re2::StringPiece rest(line); RE2::FindAndConsume(&rest, citation, &cited);) {
      if (cited.contains("://")) continue;
      cited.erase(0, cited.find_first_not_of('/'));
      if (is_document_there(path, cited, files)) continue;
      found.push_back(std::to_string(number) + ": " + cited + " is not in the repository");
    }
  });
  return found;
}

std::vector<std::string> broken_links(std::string_view path, std::string_view text,
                                      const Files& files) {
  std::vector<std::string> found;
  for (const Link& link : links_in(path, text)) {
    if (auto what = broken(link, files)) {
      found.push_back(std::to_string(link.line) + ": " + *what);
    }
  }
  return found;
}

std::vector<std::string> missing_proofs(std::string_view text, const Files& files) {
  static const RE2 proof(kProof);
  static const RE2 comma(R"(\s*([^,]*[^,\s])\s*,?)");
  std::vector<std::string> found;
  std::string path;
  std::string cases;
  for (re2::StringPiece rest(text.data(), text.size());
       RE2::FindAndConsume(&rest, proof, &path, &cases);) {
    const auto test = files.find(path);
    if (test == files.end()) {
      if (!is_there(path, files)) found.push_back(path + " is not there");
      continue;
    }
    std::string one;
    for (re2::StringPiece list(cases); RE2::Consume(&list, comma, &one);) {
      if (!names(test->second, one)) found.push_back(path + " has no " + one);
    }
  }
  return found;
}

std::vector<std::string> unproven_sections(std::string_view text, const Files& files) {
  static const RE2 proof(kProof);
  std::vector<std::string> found;
  for (const Section& section : sections_in(text)) {
    std::string path;
    bool is_proven = false;
    for (re2::StringPiece rest(section.text); RE2::FindAndConsume(&rest, proof, &path);) {
      is_proven = is_proven || (path.starts_with("tests/") && is_there(path, files));
    }
    if (!is_proven) found.push_back(section.name + ": no test");
  }
  return found;
}

std::vector<std::string> undefined_guarantees(std::string_view text, std::string_view guarantees) {
  static const RE2 citation(R"re(\bguarantees? "([^"]*)")re");
  Names defined;
  for (const Section& section : sections_in(guarantees)) defined.insert(section.name);
  std::vector<std::string> found;
  const std::string joined = with_joined_comments(text);
  std::string cited;
  for (re2::StringPiece rest(joined); RE2::FindAndConsume(&rest, citation, &cited);) {
    if (!defined.contains(cited)) found.push_back(cited + " is no guarantee");
  }
  return found;
}

std::vector<std::string> missing_files(std::string_view text, const Files& files) {
  static const RE2 citation(R"(\b((?:config|docs|relay|scripts|srs|tests)/[\w./-]*\w))");
  std::vector<std::string> found;
  for_each_line(text, [&](const std::string& line, int number) {
    const auto comment = line.find("//");
    if (comment == std::string::npos || line.substr(0, comment).ends_with(':')) return;
    std::string cited;
    for (re2::StringPiece rest(line.data() + comment, line.size() - comment);
         RE2::FindAndConsume(&rest, citation, &cited);) {
      if (!is_there(cited, files)) {
        found.push_back(std::to_string(number) + ": " + cited + " is not there");
      }
    }
  });
  return found;
}

std::vector<std::string> missing_decisions(std::string_view text, const Files& files) {
  static const RE2 citation(R"(\bADR ([0-9]{1,4})\b)");
  std::vector<std::string> found;
  const std::string joined = with_joined_comments(text);
  std::string cited;
  for (re2::StringPiece rest(joined); RE2::FindAndConsume(&rest, citation, &cited);) {
    const std::string path = "docs/adr/" + std::string(4 - cited.size(), '0') + cited + '-';
    const auto at = files.lower_bound(path);
    if (at == files.end() || !at->first.starts_with(path)) {
      found.push_back("ADR " + cited + " is not in docs/adr");
    }
  }
  return found;
}

std::vector<std::string> missing_commits(std::string_view text, const Commits& commits) {
  static const RE2 hash(R"(\b([0-9a-f]{7,12})\b)");
  static const Names names{"ed25519"};
  std::vector<std::string> found;
  for_each_line(text, [&](const std::string& line, int number) {
    std::string cited;
    for (re2::StringPiece rest(line); RE2::FindAndConsume(&rest, hash, &cited);) {
      const bool is_number = cited.find_first_of("abcdef") == std::string::npos;
      const bool is_word = cited.find_first_of("0123456789") == std::string::npos;
      if (is_number || is_word || names.contains(cited)) continue;
      const auto at = commits.lower_bound(cited);
      if (at != commits.end() && at->starts_with(cited)) continue;
      found.push_back(std::to_string(number) + ": " + cited + " is no commit of this history");
    }
  });
  return found;
}

std::vector<std::string> unreachable_documents(std::string_view from, const Files& files) {
  Names reached{std::string(from)};
  for (std::deque<std::string> next{std::string(from)}; !next.empty(); next.pop_front()) {
    const auto document = files.find(next.front());
    if (document == files.end()) continue;
    for (const Link& link : links_in(document->first, document->second)) {
      if (link.path.ends_with(kEnding) && reached.insert(link.path).second) {
        next.push_back(link.path);
      }
    }
  }
  std::vector<std::string> found;
  for (const auto& [path, text] : files) {
    if (path.ends_with(kEnding) && !reached.contains(path)) found.push_back(path);
  }
  return found;
}

}  // namespace relay::architecture
