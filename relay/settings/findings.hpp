// The problems of one configuration, collected while it is read and while it is thought over.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"

namespace relay::settings {

/// A file that the configuration leads to, and where it is named.
struct NamedFile {
  std::string path;
  Place at;
  FileStamp stamp = {};  ///< of a moment before it was read
};

/// Collects problems, and knows the files they are in.
class Findings {
 public:
  /// A file of another kind has a mistake on every line: beyond so many errors, or warnings, they
  /// are only counted, and the last one says how many there are.
  static constexpr std::size_t kMostShown = 1000;

  /// The text is shown as it was when it was read. A file that is not remembered is read again when
  /// one of its lines is to be shown.
  void remember(const std::string& file, std::string text);
  void add(Position at, ProblemCode code, std::string text, std::string hint = {},
           std::size_t width = 1);
  void warn(Position at, std::string text, std::string hint = {}, std::size_t width = 1);
  void add(Problem problem);

  /// A byte order mark is read over; what reads the file beside us may not do that.
  void warn_of_mark(const std::string& path, std::string_view content);

  /// The position, short. Until Settings::sources is taken from sources().
  Place place(const Position& at);

  /// To be called before it is read.
  void name_file(const std::string& path, const Position& at) {
    named_files_.push_back({path, place(at), FileStamp::of(path)});
  }

  const std::vector<Problem>& all() const { return problems_; }

  const std::vector<std::string>& sources() const { return files_; }

  const std::vector<NamedFile>& named_files() const { return named_files_; }

  bool has_errors() const { return errors_.count > 0; }

  /// The line as it stands in the file, each control character a blank; "" when there is none.
  std::string line(const std::string& file, std::uint32_t number);

 private:
  /// Its lines are looked for when the first of them is to be shown: a million aliases mostly have
  /// none.
  struct Source {
    std::string text;
    std::vector<std::size_t> begins;  ///< of its lines
  };

  /// Problems of one severity: errors are not crowded out by warnings.
  struct Kind {
    std::size_t count = 0;
    std::size_t rest_at = 0;  ///< of the problem that says how many more there are
  };

  std::map<std::string, Source> sources_;
  std::map<std::string, std::size_t> numbers_;  ///< of files_
  std::vector<std::string> files_;
  std::vector<NamedFile> named_files_;
  std::vector<Problem> problems_;
  Kind errors_;
  Kind warnings_;
};

}  // namespace relay::settings
