#include "tests/simulation/moods.hpp"

namespace relay::simulation {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct Refusal {
  int code;
  std::string_view status;
};

constexpr Refusal kTemporary[] = {
    {421, "4.3.2"}, {421, "4.7.0"}, {450, "4.2.1"},  {450, ""},      {451, "4.3.0"},
    {451, "4.7.1"}, {451, "4.4.1"}, {451, ""},       {452, "4.3.1"}, {452, "4.2.2"},
    {454, "4.7.0"}, {455, ""},      {432, "4.7.12"}, {499, ""},
};
constexpr Refusal kPermanent[] = {
    {550, "5.7.1"}, {550, "5.1.1"}, {550, ""},      {551, "5.1.6"}, {552, "5.2.2"}, {552, "5.3.4"},
    {553, "5.1.3"}, {554, "5.7.1"}, {554, ""},      {503, "5.5.1"}, {503, ""},      {500, "5.5.2"},
    {501, "5.5.4"}, {521, "5.3.2"}, {530, "5.7.0"}, {571, "5.7.1"},
};
constexpr unsigned kOften[] = {1000, 1000, 500, 250, 60};

constexpr Step kSteps[] = {Step::Banner, Step::Ehlo, Step::StartTls, Step::Mail, Step::Mail,
                           Step::Rcpt,   Step::Rcpt, Step::Data,     Step::Dot,  Step::Dot,
                           Step::Reset,  Step::Quit, Step::Handshake};
constexpr Does kDoings[] = {
    Does::Replies, Does::Replies,          Does::Replies,     Does::Closes421, Does::Closes,
    Does::Resets,  Does::RepliesAndCloses, Does::StaysSilent, Does::IsSlow,    Does::IsSlow,
    Does::Drips,   Does::SaysMore,         Does::SaysNoText};

Habit draw_habit(Random& random) {
  Habit habit;
  habit.step = random.pick(kSteps);
  habit.what = random.pick(kDoings);
  habit.per_mille = random.pick(kOften);
  if (habit.what == Does::Replies || habit.what == Does::RepliesAndCloses) {
    const bool permanent = random.chance(350);
    const Refusal& refusal = permanent ? random.pick(kPermanent) : random.pick(kTemporary);
    habit.code = refusal.code;
    habit.status = refusal.status;
  }
  if (habit.what == Does::Closes421 && random.chance(500)) habit.status = "4.7.0";
  if (habit.what == Does::IsSlow || habit.what == Does::Drips) {
    habit.span = random.span(1s, habit.step == Step::Dot ? 10min : 4min);
  }
  if (habit.step == Step::Dot && random.chance(250)) habit.what = Does::TakesAndResets;
  if (habit.step == Step::Data && random.chance(150)) habit.what = Does::StopsReading;
  if (habit.step == Step::Data && random.chance(150)) habit.what = Does::BreaksContent;
  return habit;
}

void draw_limits(Mood& mood, Random& random) {
  if (random.chance(300)) {
    constexpr Limit kRecipientLimits[] = {
        {1, 452, "4.5.3"}, {2, 452, "4.5.3"}, {3, 452, ""}, {2, 552, "5.5.3"}, {1, 452, ""}};
    mood.recipients = random.pick(kRecipientLimits);
  }
  if (random.chance(120)) mood.stated_recipients = static_cast<unsigned>(random.between(1, 4));
  if (random.chance(120)) mood.stated_messages = static_cast<unsigned>(random.between(1, 4));
  if (random.chance(250)) {
    mood.messages = {static_cast<unsigned>(random.between(1, 3)), random.chance(500) ? 421 : 0,
                     random.chance(300) ? "4.7.0" : "4.3.2"};
  }
  if (random.chance(250)) {
    mood.connections = {static_cast<unsigned>(random.between(1, 3)), random.chance(600) ? 421 : 0,
                        random.chance(500) ? "4.7.0" : "4.3.2"};
  }
  if (random.chance(100)) mood.errors = static_cast<unsigned>(random.between(1, 4));
  if (random.chance(200)) mood.idle = random.span(2s, 300s);
  mood.idle_says_421 = random.chance(600);
}

void draw_greylist(Mood& mood, Random& random) {
  constexpr Refusal kReplies[] = {{450, "4.7.1"}, {451, "4.7.1"}, {450, "4.2.0"}, {451, ""}};
  const Refusal& reply = random.pick(kReplies);
  mood.greylist = {.tries = static_cast<unsigned>(random.between(1, 3)),
                   .delay = random.chance(500) ? random.span(10s, 300s) : 0ms,
                   .code = reply.code,
                   .status = reply.status};
}

void draw_tls(Mood& mood, Random& random) {
  constexpr Tls kFailures[] = {Tls::RefusesCommand, Tls::FailsEarly, Tls::ClosesEarly,
                               Tls::StaysSilent,    Tls::FailsLate,  Tls::ClosesLate};
  constexpr mail::TlsResult kFaults[] = {mail::TlsResult::CertificateHostMismatch,
                                         mail::TlsResult::CertificateExpired,
                                         mail::TlsResult::CertificateNotTrusted};
  mood.tls = random.chance(300) ? random.pick(kFailures) : Tls::Works;
  if (random.chance(300)) mood.certificate = random.pick(kFaults);
  const bool usable = mood.tls != Tls::RefusesCommand;
  mood.demands_tls = usable && random.chance(250);
}

}  // namespace

Mood draw_mood(Random& random) {
  Mood mood;
  mood.round_trip = random.span(1ms, 400ms);
  mood.pipelining = random.chance(700);
  mood.understands_ehlo = random.chance(950);
  mood.eight_bit_mime = random.chance(900);
  mood.size = random.chance(800);
  mood.enhanced_codes = random.chance(800);
  mood.says_354_to_nobody = random.chance(200);
  mood.own_domains_only = random.chance(200);
  if (random.chance(350)) draw_tls(mood, random);
  const auto character = random.below(100);
  if (character < 30) return mood;
  if (character < 65 || random.chance(400)) draw_limits(mood, random);
  if (random.chance(300)) draw_greylist(mood, random);
  if (character >= 55) {
    const auto habits = random.between(1, 3);
    for (std::int64_t i = 0; i < habits; ++i) mood.habits.push_back(draw_habit(random));
  }
  return mood;
}

}  // namespace relay::simulation
