#include <cstdio>
#include <exception>

#include "relay/app/command_line.hpp"
#include "relay/app/commands.hpp"
#include "relay/app/serve.hpp"

namespace {

int run(const relay::app::Invocation& call) {
  using relay::app::Verb;
  switch (call.verb) {
    case Verb::Serve:
      return relay::app::serve(call.config);
    case Verb::Check:
      return relay::app::check(call);
    case Verb::Resolve:
      return relay::app::resolve(call);
    case Verb::Verify:
      return relay::app::verify(call);
    case Verb::Srs:
      return relay::app::srs(call);
    case Verb::DkimNew:
      return relay::app::dkim_new(call);
    case Verb::Reload:
    case Verb::Status:
    case Verb::Queue:
      return relay::app::ask_running(call);
  }
  return relay::app::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = relay::app::parse_command_line(argc, argv);
    if (const int* exit = std::get_if<int>(&parsed)) return *exit;
    return run(std::get<relay::app::Invocation>(parsed));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "srs-relay: %s\n", problem.what());
    return relay::app::kExitTemporary;
  }
}
