#include "relay/review/doubts.hpp"

#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

using settings::Problem;
using settings::ProblemCode;

Doubts::Doubts(const settings::Settings& settings)
    : settings_(settings), findings_(std::make_unique<settings::Findings>()) {}

Doubts::~Doubts() = default;

base::SourcePosition Doubts::position(const base::SourcePlace& at) const {
  return position_of(settings_, at);
}

void Doubts::begin(std::string_view check) {
  end();
  check_ = check;
}

void Doubts::end() {
  if (of_this_ > kMostOfOne) {
    findings_->add(Problem{.at = {settings_.file},
                           .code = ProblemCode::Doubt,
                           .text = fmt::format("{} more like these", of_this_ - kMostOfOne),
                           .warning = true,
                           .check = check_});
  }
  of_this_ = 0;
}

void Doubts::add(Problem problem) {
  if (++of_this_ > kMostOfOne) return;
  problem.code = ProblemCode::Doubt;
  problem.warning = true;
  problem.check = check_;
  findings_->add(std::move(problem));
}

void Doubts::add(const base::SourcePlace& at, std::string text, std::string hint) {
  add(at, {}, std::move(text), std::move(hint));
}

void Doubts::add(const base::SourcePlace& at, std::string_view word, std::string text,
                 std::string hint) {
  Problem problem{.at = position(at), .text = std::move(text), .hint = std::move(hint)};
  if (!is_full() && !word.empty() && find(word, problem.at)) {
    problem.width = static_cast<std::uint32_t>(word.size());
  }
  add(std::move(problem));
}

/// Searches the line, and the lines below it if a list begins there.
bool Doubts::find(std::string_view word, base::SourcePosition& at) {
  if (at.line == 0) return false;
  constexpr std::uint32_t kLongestList = 1000;
  const std::string wanted = base::lower(word);
  std::size_t from = at.column > 0 ? at.column - 1 : 0;
  bool in_list = false;
  for (std::uint32_t below = 0; below < kLongestList; ++below) {
    const std::string line = base::lower(findings_->line(at.file, at.line + below));
    const std::size_t found = line.find(wanted, from);
    if (found != std::string::npos) {
      at.line += below;
      at.column = static_cast<std::uint32_t>(found + 1);
      return true;
    }
    in_list = in_list || line.find('[', from) != std::string::npos;
    if (!in_list || line.find(']', from) != std::string::npos) return false;
    from = 0;
  }
  return false;
}

std::vector<Problem> Doubts::take() && {
  end();
  return findings_->all();
}

}  // namespace relay::review
