#include "tests/architecture/classes.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <re2/re2.h>

namespace relay::architecture {

namespace {

constexpr int kMaxClassLines = 500;

/// What stands at the level of a namespace: a class, a function, a declaration.
struct Item {
  std::string head;  ///< its text up to the first brace or semicolon
  int lines = 0;
  bool has_body = false;
};

struct Contents {
  int lines = 0;
  std::vector<Item> items;
};

void read_head(std::string_view line, Item& item, bool& in_head) {
  const auto end = std::min(line.find_first_of("{;"), line.size());
  item.head.append(line.substr(0, end)).append(" ");
  in_head = end == line.size();
  item.has_body = !in_head && line[end] == '{';
}

Contents contents_of(std::string_view text) {
  Contents found;
  bool in_item = false;
  bool in_head = false;
  for (; !text.empty(); ++found.lines) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, text[end] == '\n' ? end : end + 1);
    text.remove_prefix(end + 1);
    const char first = line.empty() ? ' ' : line.front();
    const bool begins = !std::string_view(" }#/").contains(first) && !line.starts_with("namespace");
    if (begins) found.items.emplace_back();
    in_item = begins || (in_item && first != '/');
    in_head = begins || (in_head && in_item);
    if (in_item) ++found.items.back().lines;
    if (in_head) read_head(line, found.items.back(), in_head);
    in_item = in_item && first != '}';
  }
  return found;
}

struct Owner {
  std::string name;       ///< of a class; "" if the item has to do with none
  bool declares = false;  ///< it is the class itself, not a member or a nested class
};

Owner owner_of(const Item& item) {
  // Arguments of templates name other classes: "std::vector<Reply::Line> ServerMachine::lines() {".
  static const RE2 arguments("<[^<>]*>");
  static const RE2 definition(R"((?:template )?(?:class|struct) ([A-Z]\w*)(::)?[^()]*)");
  static const RE2 member(R"([^=(]*?\b([A-Z]\w*)::(?:\w+::)*(?:~?\w+|operator[^\s(]*)\s*\(.*)");
  std::string head = item.head;
  while (RE2::Replace(&head, arguments, "")) {
  }
  Owner owner;
  std::string nested;
  if (item.has_body && RE2::FullMatch(head, definition, &owner.name, &nested)) {
    owner.declares = nested.empty();
  } else {
    RE2::FullMatch(head, member, &owner.name);
  }
  return owner;
}

std::map<std::string, int> lines_in(const Source& source, const Contents& contents) {
  std::map<std::string, int> lines;
  std::set<std::string> own;  // classes of a source that no header declares
  for (const Item& item : contents.items) {
    const auto [name, declares] = owner_of(item);
    if (name.empty()) continue;
    lines[name] += item.lines;
    if (declares && source.path.ends_with(".cpp")) own.insert(name);
  }
  const std::string folder = source.path.substr(0, source.path.rfind('/'));
  std::map<std::string, int> named;
  for (const auto& [name, count] : lines) {
    named[(own.contains(name) ? source.path : folder) + '/' + name] = count;
  }
  return named;
}

}  // namespace

std::map<std::string, int> lines_by_class(const std::vector<Source>& sources) {
  std::map<std::string, int> total;
  for (const Source& source : sources) {
    const Contents contents = contents_of(source.text);
    auto lines = lines_in(source, contents);
    const auto most = std::ranges::max_element(lines, {}, [](const auto& of) { return of.second; });
    if (most != lines.end()) most->second = contents.lines;
    for (const auto& [name, count] : lines) total[name] += count;
  }
  return total;
}

std::vector<std::string> large_classes(const std::vector<Source>& sources) {
  std::vector<std::string> found;
  for (const auto& [name, lines] : lines_by_class(sources)) {
    if (lines <= kMaxClassLines) continue;
    found.push_back(name + " has " + std::to_string(lines) + " lines: it is two classes");
  }
  return found;
}

}  // namespace relay::architecture
