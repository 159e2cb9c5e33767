#include "tests/simulation/host.hpp"

#include <algorithm>

#include "tests/simulation/server_session.hpp"
#include "tests/simulation/text_hash.hpp"

namespace relay::simulation {

std::optional<Habit> Host::habit_at(Step step) {
  for (const Habit& habit : mood.habits) {
    if (habit.step == step && random_.chance(habit.per_mille)) return habit;
  }
  return std::nullopt;
}

bool Host::is_own(std::string_view domain) const {
  return std::ranges::find(own_domains_, domain) != own_domains_.end();
}

bool Host::turns_away(std::string_view sender, std::string_view recipient) {
  if (mood.greylist.tries == 0) return false;
  Visit& visit = visits_[text_hash(recipient, text_hash(sender))];
  const base::SteadyTime now = common_.clock.steady();
  if (visit.times == 0) visit.first = now;
  ++visit.times;
  return visit.times <= mood.greylist.tries || now < visit.first + mood.greylist.delay;
}

void Host::drop_all(ports::IoError error) {
  for (ServerSession* session : std::vector(sessions_)) session->hang_up(error);
}

}  // namespace relay::simulation
