// Collects the findings of this room's checks. They are warnings only: whether a configuration is
// refused is decided where a start builds its parts.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/source_place.hpp"

namespace relay::settings {
class Findings;
struct Problem;
struct Settings;
}  // namespace relay::settings

namespace relay::review {

class Doubts {
 public:
  /// At most so many findings per check are listed, to keep the list readable; the rest is counted.
  static constexpr std::size_t kMostOfOne = 50;

  explicit Doubts(const settings::Settings& settings);
  ~Doubts();

  /// The findings that follow are those of this check.
  void begin(std::string_view check);

  void add(const base::SourcePlace& at, std::string text, std::string hint = {});

  /// With a caret below `word`, if it is found at `at` or in the list that begins there.
  void add(const base::SourcePlace& at, std::string_view word, std::string text, std::string hint);

  /// Where that is; the configuration as a whole when it is unknown.
  base::SourcePosition position(const base::SourcePlace& at) const;

  /// No further finding of this check will be listed, so details need not be worked out.
  bool is_full() const { return of_this_ >= kMostOfOne; }

  std::vector<settings::Problem> take() &&;

 private:
  void add(settings::Problem problem);
  void end();
  bool find(std::string_view word, base::SourcePosition& at);

  const settings::Settings& settings_;
  const std::unique_ptr<settings::Findings> findings_;
  std::string check_;
  std::size_t of_this_ = 0;
};

}  // namespace relay::review
