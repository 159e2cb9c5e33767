// Runs every dialogue of tests/dialogues: text files of what a client says and what it must hear.
//
//   # …          comment
//   house: …     options, space-separated: tls  size=<octets>  errors=<n>  recipients=<n>
//                spool=full|failing
//   C: text      a line of the client, CRLF added; lines in a row arrive in one segment
//   C~ text      the same with \r \n \0 \t \\ written out, and nothing added
//   --           the next client line begins a segment of its own
//   S: text      a line the client must hear before it speaks again; "*" stands for any text
//   closed       the server closed, though the client had more to say
//   stored: n    messages in the spool at the end
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"
#include "tests/source_dir.hpp"

namespace relay::inbound {
namespace {

struct Dialogue {
  Limits limits;
  bool tls = false;
  std::optional<ports::SpoolError> spool_error;
  std::vector<std::string> segments;
  std::vector<std::string> transcript;  ///< expected; "<read>" where a segment is taken
  bool closed_early = false;
  std::optional<std::size_t> stored;
};

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

void set_option(Dialogue& dialogue, const std::string& option) {
  const std::string value = option.substr(option.find('=') + 1);
  if (option == "tls") {
    dialogue.tls = true;
  } else if (option.starts_with("size=")) {
    dialogue.limits.max_size = std::stoull(value);
  } else if (option.starts_with("errors=")) {
    dialogue.limits.max_errors = static_cast<std::uint32_t>(std::stoul(value));
  } else if (option.starts_with("recipients=")) {
    dialogue.limits.max_recipients = static_cast<std::uint32_t>(std::stoul(value));
  } else if (option == "spool=full") {
    dialogue.spool_error = ports::SpoolError::Full;
  } else if (option == "spool=failing") {
    dialogue.spool_error = ports::SpoolError::Poisoned;
  } else {
    ADD_FAILURE() << "unknown option " << option;
  }
}

Dialogue parse(const std::filesystem::path& file) {
  Dialogue dialogue;
  std::ifstream in(file);
  bool in_segment = false;
  for (std::string line; std::getline(in, line);) {
    const auto client_says = [&](const std::string& octets) {
      if (!in_segment) {
        dialogue.segments.emplace_back();
        dialogue.transcript.emplace_back("<read>");
      }
      dialogue.segments.back() += octets;
      in_segment = true;
    };
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("house: ")) {
      std::istringstream options(line.substr(7));
      for (std::string option; options >> option;) set_option(dialogue, option);
    } else if (line.starts_with("C: ")) {
      client_says(line.substr(3) + "\r\n");
    } else if (line == "C:") {
      client_says("\r\n");
    } else if (line.starts_with("C~ ")) {
      client_says(unescaped(line.substr(3)));
    } else if (line == "--") {
      in_segment = false;
    } else if (line.starts_with("S: ")) {
      in_segment = false;
      dialogue.transcript.push_back(line.substr(3));
    } else if (line == "closed") {
      dialogue.closed_early = true;
    } else if (line.starts_with("stored: ")) {
      dialogue.stored = std::stoul(line.substr(8));
    } else {
      ADD_FAILURE() << file << ": " << line;
    }
  }
  return dialogue;
}

bool matches(const std::string& expected, const std::string& heard) {
  const std::size_t star = expected.find('*');
  if (star == std::string::npos) return expected == heard;
  return heard.starts_with(expected.substr(0, star)) && heard.ends_with(expected.substr(star + 1));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\r\n", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

std::vector<std::filesystem::path> dialogue_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(RELAY_SOURCE_DIR "/tests/dialogues")) {
    if (entry.path().extension() == ".smtp") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class DialogueFile : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(DialogueFile, IsHeardAsWritten) {
  const Dialogue dialogue = parse(GetParam());
  House house(dialogue.limits, dialogue.tls);
  house.queue.append_error = house.queue.commit_error = dialogue.spool_error;
  const auto wire = house.talk(dialogue.segments);

  const std::vector<std::string> heard = lines_of(wire->transcript);
  for (std::size_t i = 0; i < std::max(heard.size(), dialogue.transcript.size()); ++i) {
    const std::string expected = i < dialogue.transcript.size() ? dialogue.transcript[i] : "(end)";
    const std::string got = i < heard.size() ? heard[i] : "(end)";
    const bool unread = got == "(end)" && expected == "<read>" && dialogue.closed_early;
    if (unread) break;  // what the client would have said
    ASSERT_TRUE(matches(expected, got)) << "expected: " << expected << "\nheard:    " << got;
  }
  EXPECT_EQ(!wire->incoming.empty(), dialogue.closed_early);
  EXPECT_TRUE(wire->closed);
  if (dialogue.stored) EXPECT_EQ(house.queue.stored.size(), *dialogue.stored);
}

INSTANTIATE_TEST_SUITE_P(All, DialogueFile, testing::ValuesIn(dialogue_files()),
                         [](const auto& info) {
                           std::string name = info.param.stem().string();
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(DialogueInterpreter, FailsWhereTheServerSaysSomethingElse) {  // negative control
  EXPECT_TRUE(matches("250 2.0.0 queued as *", "250 2.0.0 queued as 01ABC"));
  EXPECT_FALSE(matches("250 2.0.0 queued as *", "451 4.3.0 no"));
  EXPECT_FALSE(matches("250 ok", "250 ok, almost"));
}

}  // namespace
}  // namespace relay::inbound
