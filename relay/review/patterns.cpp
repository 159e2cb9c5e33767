// Checks of [[domain.pattern]]: the groups that it refers to, and where its targets lead.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <re2/re2.h>

#include "relay/base/closest.hpp"
#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"
#include "relay/review/targets.hpp"

namespace relay::review {

namespace {

using forward::Pattern;

RE2 expression_of(const Pattern& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(false);
  return RE2(pattern.match, options);
}

/// Group numbers and names that may be used as ${…}.
std::vector<std::string> groups_of(const RE2& expression) {
  std::vector<std::string> groups;
  for (int i = 0; i <= expression.NumberOfCapturingGroups(); ++i) {
    groups.push_back(std::to_string(i));
  }
  for (const auto& [name, number] : expression.NamedCapturingGroups()) groups.push_back(name);
  return groups;
}

void look_at_groups(const Pattern& pattern, const std::string& target,
                    const std::vector<std::string>& groups, Doubts& doubts) {
  for (std::size_t open = target.find('$'); open != std::string::npos;
       open = target.find('$', open + 1)) {
    const std::size_t close = target.find('}', open);
    const bool braces = open + 1 < target.size() && target[open + 1] == '{';
    if (!braces || close == std::string::npos) {
      doubts.add(pattern.at, target,
                 fmt::format("pattern.to: \"{}\": the $ stands there as it is", target),
                 "a group is written ${1} or ${name}");
      return;
    }
    const std::string name = target.substr(open + 2, close - open - 2);
    if (std::ranges::find(groups, name) != groups.end()) continue;
    const std::string near = base::closest(name, groups);
    doubts.add(pattern.at, "${" + name + "}",
               fmt::format("pattern.to: \"{}\": the expression has no group \"{}\", and nothing is "
                           "put in its place",
                           target, name),
               near.empty() || name.size() < 2 ? fmt::format("write (?P<{}>…) in match", name)
                                               : "did you mean ${" + near + "}?");
  }
}

/// The target with "a" in place of each group; nullopt: that is no address.
std::optional<mail::Mailbox> filled(std::string target) {
  for (std::size_t open = target.find("${"); open != std::string::npos;
       open = target.find("${", open + 1)) {
    const std::size_t close = target.find('}', open);
    if (close == std::string::npos) break;
    target.replace(open, close + 1 - open, "a");
  }
  const auto mailbox = mail::Mailbox::parse(target);
  return mailbox ? std::optional(*mailbox) : std::nullopt;
}

/// A local part that the expression matches, made from its first alternatives; "" if that fails, as
/// it can for complicated expressions.
std::string example_of(const std::string& match, const RE2& expression) {
  std::string made;
  int skipped = 0;  // depth of brackets inside an alternative that is skipped
  for (std::size_t i = 0; i < match.size(); ++i) {
    const char c = match[i];
    if (skipped > 0) {
      if (c == '(') ++skipped;
      if (c == ')') --skipped;
      if (c == '\\') ++i;
    } else if (c == '\\' && i + 1 < match.size()) {
      const char escaped = match[++i];
      made += escaped == 'd' ? '1' : base::is_alpha(escaped) ? 'a' : escaped;
    } else if (c == '[') {
      const bool digits = i + 1 < match.size() && base::is_digit(match[i + 1]);
      i = std::min(match.find(']', i + 2), match.size());
      made += digits ? '1' : 'a';
    } else if (c == '(') {
      if (match.compare(i, 2, "(?") == 0) i = std::min(match.find_first_of(">:", i), match.size());
    } else if (c == '|') {
      skipped = 1;
    } else if (c == '{' && !made.empty()) {
      std::size_t least = 1;
      std::from_chars(match.data() + i + 1, match.data() + match.size(), least);
      made.append(std::clamp<std::size_t>(least, 1, 64) - 1, made.back());
      i = std::min(match.find('}', i), match.size());
    } else if (c == '.') {
      made += 'a';
    } else if (std::string_view(")*+?^$").find(c) == std::string_view::npos) {
      made += c;
    }
  }
  return RE2::FullMatch(made, expression) ? made : std::string();
}

void look_at_target(const Subject& subject, const forward::HostedDomain& domain,
                    const Pattern& pattern, const std::string& target, const std::string& example,
                    Doubts& doubts) {
  const auto mailbox = filled(target);
  const auto say = [&](const std::string& why, std::string hint) {
    doubts.add(pattern.at, target,
               fmt::format("a pattern of {} leads to {}, {}", domain.text(), target, why),
               std::move(hint));
  };
  if (!mailbox) return say("which is no address", "as \"support+${1}@mail.example\"");
  const bool is_fixed = target.find("${") == std::string::npos;
  if (auto dead = dead_end(subject, *mailbox)) {
    // Whether a name with groups exists cannot be known; only targets outside our domains are
    // judged.
    const bool is_hosted =
        std::ranges::any_of(subject.forwarding.domains, [&](const forward::HostedDomain& one) {
          const std::string& name = mailbox->domain().folded();
          return one.is_wildcard ? name.ends_with('.' + one.name.folded())
                                 : one.name.folded() == name;
        });
    if (is_fixed || !is_hosted) return say(dead->why, std::move(dead->hint));
  }
  const auto taken = mail::Mailbox::make(example, domain.example());
  if (example.empty() || !taken || !subject.planner.directory().is_ours(mailbox->domain())) return;
  const auto found = subject.planner.directory().resolve(mail::ForwardPath(*taken), subject.now);
  const auto* refused = std::get_if<forward::Rejection>(&found);
  if (refused != nullptr && is_of_the_way(*refused)) {
    say(fmt::format("which takes {} nowhere: {}", taken->to_string(), text_of(*refused)),
        "name a mailbox elsewhere");
  }
}

}  // namespace

void groups_of_patterns(const Subject& subject, Doubts& doubts) {
  for (const forward::HostedDomain& domain : subject.forwarding.domains) {
    for (const Pattern& pattern : domain.patterns) {
      const auto groups = groups_of(expression_of(pattern));
      for (const std::string& target : pattern.targets) {
        look_at_groups(pattern, target, groups, doubts);
      }
    }
  }
}

void targets_of_patterns(const Subject& subject, Doubts& doubts) {
  for (const forward::HostedDomain& domain : subject.forwarding.domains) {
    for (const Pattern& pattern : domain.patterns) {
      const std::string example = example_of(pattern.match, expression_of(pattern));
      for (const std::string& target : pattern.targets) {
        look_at_target(subject, domain, pattern, target, example, doubts);
      }
    }
  }
}

}  // namespace relay::review
