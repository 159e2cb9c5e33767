// The rules for documents, as functions from a text and the files there are to what it breaks: what
// is cited exists, links lead somewhere, and the tests that are named as proofs are there.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace relay::architecture {

/// Texts of files by their paths from the root of the project: "docs/queue.md".
using Files = std::map<std::string, std::string, std::less<>>;

/// Documents (*.md) that `text` cites and that are not in the repository, a sentence with a line
/// number each. A document may be named from the root, from the folder of `path`, or by its name
/// alone.
std::vector<std::string> missing_documents(std::string_view path, std::string_view text,
                                           const Files& files);

/// Links of the document `path` that lead nowhere: to a file or folder that is not there, or to a
/// heading that its document does not have. Links to other hosts are not followed.
std::vector<std::string> broken_links(std::string_view path, std::string_view text,
                                      const Files& files);

/// Tests that `text` names as proofs and that are not there: `tests/room/x_test.cpp` (Case, Case).
/// A case is a word of the file; of a Python method also without its "test_".
std::vector<std::string> missing_proofs(std::string_view text, const Files& files);

/// Sections of `text` (headings of level three) that name no test that is there.
std::vector<std::string> unproven_sections(std::string_view text, const Files& files);

/// Guarantees that `text` cites, as `guarantee "Mail does not go round"`, and that are no heading
/// of level three in `guarantees`. A name may go on in the next line of a comment.
std::vector<std::string> undefined_guarantees(std::string_view text, std::string_view guarantees);

/// Files and folders that comments of the C++ source `text` name by their path from the root, and
/// that are not there.
std::vector<std::string> missing_files(std::string_view text, const Files& files);

/// Decisions that `text` cites by number, as `ADR 15`, and that are not in docs/adr.
std::vector<std::string> missing_decisions(std::string_view text, const Files& files);

/// Full hashes, in lower case.
using Commits = std::set<std::string, std::less<>>;

/// Commits that `text` cites and that are not among `commits`, a sentence with a line number each.
/// A word counts as one if it is 7 to 12 hexadecimal digits, both letters and numbers.
std::vector<std::string> missing_commits(std::string_view text, const Commits& commits);

/// Documents that no way of links leads to from the document `from`.
std::vector<std::string> unreachable_documents(std::string_view from, const Files& files);

}  // namespace relay::architecture
