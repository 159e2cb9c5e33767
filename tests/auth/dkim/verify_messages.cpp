// verify_messages RECORDS FOLDER TIME: what our verifier says of the topmost signature of every
// file of FOLDER, as "name result problem". RECORDS has a line "name<TAB>text" for each TXT record;
// TIME is the Unix time at which to judge. The body is fed in odd pieces, as a network would.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"
#include "tests/support/read_file.hpp"

namespace {

namespace fs = std::filesystem;
using namespace relay;

auth::dkim::RecordedResolver records_of(const fs::path& path) {
  auth::dkim::RecordedResolver dns;
  std::istringstream lines(support::read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) dns.set(line.substr(0, tab), {{line.substr(tab + 1)}});
  }
  return dns;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto dns = records_of(argv[1]);
  const std::string_view time = argv[3];
  std::int64_t now = 0;
  if (std::from_chars(time.data(), time.data() + time.size(), now).ec != std::errc()) return 2;
  for (const auto& entry : fs::directory_iterator(argv[2])) {
    const auto verdicts =
        auth::dkim::judged(support::read_file(entry.path()), dns, now, 1 + entry.file_size() % 997);
    const auto verdict = verdicts.empty() ? mail::DkimVerdict() : verdicts.front();
    std::printf("%s %s %s\n", entry.path().filename().c_str(),
                std::string(mail::name_of(verdict.result)).c_str(), verdict.problem.c_str());
  }
}
