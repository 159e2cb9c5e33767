// How a server of the simulated world behaves: what it offers, what it limits, and its bad habits.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "relay/mail/tls_demand.hpp"

namespace relay::simulation {

/// Where in a session something happens.
enum class Step : std::uint8_t {
  Connect,
  Banner,
  Ehlo,
  StartTls,
  Handshake,
  Mail,
  Rcpt,
  Data,
  Dot,
  Reset,
  Quit,
  Other,  ///< NOOP, and what no server knows
};

std::string_view name(Step step);

/// What a server does instead of its proper reply, or besides.
enum class Does : std::uint8_t {
  Replies,    ///< code and status of the habit
  Closes421,  ///< says 421, with the habit's status, and closes
  Closes,     ///< without a reply
  Resets,     ///< without a reply, and what was not read yet is gone
  RepliesAndCloses,
  TakesAndResets,  ///< at the dot: the message is taken, and nobody hears of it
  StaysSilent,     ///< from now on, for ever
  IsSlow,          ///< replies after the habit's span
  Drips,           ///< the reply, over the habit's span
  StopsReading,    ///< behind 354
  BreaksContent,   ///< behind 354: resets when it sees the first of it
  SaysMore,        ///< many lines, of which the last counts
  SaysNoText,
};

struct Habit {
  Step step = Step::Connect;
  Does what = Does::Replies;
  unsigned per_mille = 0;
  int code = 0;
  std::string_view status = {};  ///< "4.7.1" or ""; a literal
  std::chrono::milliseconds span{0};
};

enum class Tls : std::uint8_t {
  NotOffered,
  Works,
  RefusesCommand,  ///< 454 to STARTTLS
  FailsEarly,      ///< in the handshake
  ClosesEarly,
  StaysSilent,  ///< in the handshake
  FailsLate,    ///< as TLS 1.3 does it: the first read after the handshake tells
  ClosesLate,
};

/// A limit, and how the server shows that it is reached.
struct Limit {
  unsigned most = 0;  ///< 0: none
  int code = 452;
  std::string_view status = "4.5.3";
};

struct Greylist {
  unsigned tries = 0;  ///< so often a sender and recipient are turned away; 0: never
  std::chrono::milliseconds delay{0};  ///< and for so long after the first time
  int code = 450;
  std::string_view status = "4.7.1";
};

/// The part of a mood that stays when a server gets well, and the part that does not.
struct Mood {
  std::chrono::milliseconds round_trip{20};

  // For ever: how it was set up.
  bool understands_ehlo = true;
  bool pipelining = true;
  bool eight_bit_mime = true;
  bool size = true;
  bool enhanced_codes = true;
  bool says_354_to_nobody = false;  ///< to a DATA that was sent before all recipients were refused
  bool own_domains_only = false;    ///< 550 5.7.1 for others
  Limit recipients;                 ///< per transaction
  unsigned stated_recipients = 0;   ///< RCPTMAX of RFC 9422; 0: not said
  unsigned stated_messages = 0;     ///< MAILMAX
  Limit messages{.code = 421, .status = "4.7.0"};     ///< per connection; 0: it just closes
  Limit connections{.code = 421, .status = "4.7.0"};  ///< at once; code 0: it refuses to connect
  unsigned errors = 0;  ///< so many refusals, and it closes with 421; 0: it is patient
  Greylist greylist;
  std::chrono::milliseconds idle{0};  ///< for so long a client may say nothing; 0: for ever
  bool idle_says_421 = true;
  Tls tls = Tls::NotOffered;
  mail::TlsResult certificate = mail::TlsResult::None;  ///< what is wrong with it
  bool demands_tls = false;                             ///< 530 5.7.0 to MAIL in the clear

  // Until it gets well.
  std::vector<Habit> habits;
};

/// The same server without its troubles.
inline Mood healed(Mood mood) {
  mood.habits.clear();
  if (mood.tls != Tls::NotOffered) mood.tls = Tls::Works;
  return mood;
}

/// The fault of a mailbox, encoded in the first letter of its local part.
enum class MailboxKind : char {
  Good = 'o',
  Unknown = 'u',     ///< 550 5.1.1
  Moved = 'm',       ///< 551 5.1.6
  Full = 'f',        ///< 552 5.2.2
  FullForNow = 'q',  ///< 452 4.2.2, until the world gets well
  Unverified = 'v',  ///< 450 4.1.1, likewise
  Sender = 's',      ///< good; who sent mail, and is told of failures
};

inline constexpr std::array kMailboxKinds{
    MailboxKind::Good, MailboxKind::Unknown,    MailboxKind::Moved,
    MailboxKind::Full, MailboxKind::FullForNow, MailboxKind::Unverified,
};

}  // namespace relay::simulation
