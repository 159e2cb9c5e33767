// The problems of one configuration, collected while it is read and reviewed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/base/source_place.hpp"

namespace relay::settings {

enum class ProblemCode : std::uint16_t;  // problem_code.hpp
struct NamedFile;
struct Problem;

/// Collects problems, and knows the files they are in.
class Findings {
 public:
  Findings();
  ~Findings();
  Findings(const Findings&) = delete;
  Findings& operator=(const Findings&) = delete;

  /// How many errors, and how many warnings, are kept; more are only counted, and one last problem
  /// says how many. The wrong kind of file would have a mistake on every line.
  static constexpr std::size_t kMostShown = 1000;

  /// Keeps the text of a file, so that its lines are shown as they were read. A file that is not
  /// remembered is read again when one of its lines must be shown.
  void remember(const std::string& file, std::string text);
  void add(base::SourcePosition at, ProblemCode code, std::string text, std::string hint = {},
           std::size_t width = 1);
  void warn(base::SourcePosition at, std::string text, std::string hint = {},
            std::size_t width = 1);
  void add(Problem problem);

  /// Warns of a byte order mark: it is skipped here, but other programs may not skip it.
  void warn_of_mark(const std::string& path, std::string_view content);

  /// The position in short form. Call only before Settings::sources is taken from sources().
  base::SourcePlace place(const base::SourcePosition& at);

  /// Where that is; the configuration as a whole when it is unknown.
  base::SourcePosition position(const base::SourcePlace& place) const;

  /// Records a file that the configuration names. Call before reading it.
  void name_file(const std::string& path, const base::SourcePosition& at);

  /// Records a folder in which files are looked for by a pattern.
  void name_folder(std::filesystem::path folder) { named_folders_.push_back(std::move(folder)); }

  const std::vector<Problem>& all() const { return problems_; }

  const std::vector<std::string>& sources() const { return files_; }

  const std::vector<NamedFile>& named_files() const { return named_files_; }

  const std::vector<std::filesystem::path>& named_folders() const { return named_folders_; }

  bool has_errors() const { return errors_.count > 0; }

  /// The line as in the file, with control characters replaced by blanks; "" when there is none.
  std::string line(const std::string& file, std::uint32_t number);

 private:
  /// Line beginnings are searched when the first line must be shown: most files have no problem,
  /// even one with a million aliases.
  struct Source {
    std::string text;
    std::vector<std::size_t> begins;  ///< where each line begins
  };

  /// Problems of one severity, limited separately, so that warnings do not displace errors.
  struct Kind {
    std::size_t count = 0;
    std::size_t rest_at = 0;  ///< index of the problem that counts the rest
  };

  std::map<std::string, Source> sources_;
  std::map<std::string, std::size_t> numbers_;  ///< index in files_
  std::vector<std::string> files_;
  std::vector<NamedFile> named_files_;
  std::vector<std::filesystem::path> named_folders_;
  std::vector<Problem> problems_;
  Kind errors_;
  Kind warnings_;
};

}  // namespace relay::settings
