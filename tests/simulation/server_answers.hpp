// The answers of a server by its configuration alone, without its bad habits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulation/host.hpp"

namespace relay::simulation {

struct Answer {
  int code = 250;
  std::string_view status = "2.0.0";
  std::string_view text = "ok";
};

/// The whole reply to EHLO.
std::string extensions(const Host& host, bool encrypted);

Answer answer_to_mail(const Mood& mood, bool encrypted);

/// `accepted`: recipients of this transaction before it. Counts the visit in the greylist.
Answer answer_to_rcpt(Host& host, std::string_view sender, std::string_view recipient,
                      std::size_t accepted);

/// `parameters` stand behind the path of MAIL.
bool parameters_are_offered(const Mood& mood, bool ehlo, std::string_view parameters);

/// Whether the server has taken a message whose dot meets this habit.
bool takes_message(const Habit& habit, Random& random);

/// The reply with its line end. `number` 0: it has none.
std::string text_of(const Answer& answer, std::uint32_t number, bool shows_status, Does manner);

/// The text between the brackets of a path; "": no path, or the null one.
std::string_view path_in(std::string_view line);

}  // namespace relay::simulation
