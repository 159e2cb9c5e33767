// The commands other than serve. Each returns the exit code.
#pragma once

#include "relay/app/command_line.hpp"

namespace relay::app {

int check(const Invocation& call);    ///< reports every problem of the configuration in one run
int resolve(const Invocation& call);  ///< where mail for an address would go
int srs(const Invocation& call);      ///< encode, decode, explain
int verify(const Invocation& call);   ///< a stored message: verdicts and way out
int dkim_new(const Invocation& call);
int ask_running(const Invocation& call);  ///< queue, status, reload: over the control socket

}  // namespace relay::app
