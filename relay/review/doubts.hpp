// What the checks of this room find. They can only warn: an error is what a start refuses, and that
// is decided by what the start is made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "relay/settings/findings.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

class Doubts {
 public:
  /// Of one check; the rest is counted. A list is for the eye.
  static constexpr std::size_t kMostOfOne = 50;

  explicit Doubts(const settings::Settings& settings) : settings_(settings) {}

  /// What follows is found by this check.
  void begin(std::string_view check);

  void add(const settings::Place& at, std::string text, std::string hint = {});

  /// With the caret below `word`, where it stands behind `at`.
  void add(const settings::Place& at, std::string_view word, std::string text, std::string hint);

  /// Nothing more is shown of this check: what it costs to say more can be spared.
  bool is_full() const { return of_this_ >= kMostOfOne; }

  std::vector<settings::Problem> take() &&;

 private:
  void add(settings::Problem problem);
  void end();
  bool find(std::string_view word, settings::Position& at);

  const settings::Settings& settings_;
  settings::Findings findings_;
  std::string check_;
  std::size_t of_this_ = 0;
};

}  // namespace relay::review
