#include "relay/app/program.hpp"

#include <cstdio>
#include <exception>

#include "relay/app/command_line.hpp"
#include "relay/app/commands.hpp"
#include "relay/app/serve.hpp"

namespace relay::app {

namespace {

int run(const Invocation& call, const Seams& seams) {
  switch (call.verb) {
    case Verb::Serve:
      return serve(call.config, seams);
    case Verb::Check:
      return check(call);
    case Verb::Resolve:
      return resolve(call);
    case Verb::Verify:
      return verify(call);
    case Verb::Srs:
      return srs(call);
    case Verb::DkimNew:
      return dkim_new(call);
    case Verb::Reload:
    case Verb::Status:
    case Verb::Queue:
      return ask_running(call);
  }
  return kExitUsage;
}

}  // namespace

int run_program(int argc, char** argv, const Seams& seams) {
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const int* exit = std::get_if<int>(&parsed)) return *exit;
    return run(std::get<Invocation>(parsed), seams);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "srs-relay: %s\n", problem.what());
    return kExitTemporary;
  }
}

}  // namespace relay::app
