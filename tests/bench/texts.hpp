// Messages as they come: for all benchmarks the same.
#pragma once

#include <cstddef>
#include <string>

namespace relay::bench {

inline constexpr std::size_t kSmall = 4UL * 1024;
inline constexpr std::size_t kLarge = 1024UL * 1024;

/// A header of a usual size.
inline std::string header() {
  return "Received: from mx.sender.example (mx.sender.example [198.51.100.17])\r\n"
         "\tby mail.sender.example (Postfix) with ESMTPS id 4XyZ1234\r\n"
         "\tfor <user@forward.example>; Tue, 24 Nov 2026 03:00:00 +0000 (UTC)\r\n"
         "Date: Tue, 24 Nov 2026 03:00:00 +0000\r\n"
         "From: Ann Example <ann@sender.example>\r\n"
         "To: User <user@forward.example>\r\n"
         "Subject: The minutes of our meeting, and what is to be done next\r\n"
         "Message-ID: <20261124030000.4711@sender.example>\r\n"
         "In-Reply-To: <20261123090000.0815@forward.example>\r\n"
         "References: <20261122120000.1234@sender.example>\r\n"
         "\t<20261123090000.0815@forward.example>\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n"
         "User-Agent: Example Mail 1.0\r\n";
}

/// The lines over and over, whole ones only.
inline std::string repeated(const std::string& lines, std::size_t octets) {
  std::string text;
  while (text.size() < octets) text += lines;
  return text;
}

/// White space to be relaxed in every other line.
inline std::string prose(std::size_t octets) {
  return repeated(
      "It was agreed that the next meeting takes place in spring, in the same house.\r\n"
      "Whoever has\tsomething to  say sends it to all beforehand. \r\n\r\n",
      octets);
}

/// A justified text, as manuals are: runs of blanks between the words.
inline std::string blanks(std::size_t octets) {
  return repeated(
      "It  was  agreed  that  the  next    meeting  takes  place   in   spring.\r\n"
      "\tWhoever   has   something   to   say   sends   it   to   all  beforehand.   \r\n",
      octets);
}

/// Lines of base64.
inline std::string attachment(std::size_t octets) {
  std::string text;
  while (text.size() < octets) {
    text += std::string(76, static_cast<char>('A' + text.size() % 26)) + "\r\n";
  }
  return text;
}

}  // namespace relay::bench
