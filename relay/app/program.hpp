// The program: what main() does.
#pragma once

#include "relay/app/seams.hpp"

namespace relay::app {

/// Reads the command line and does what it says. Returns the exit code.
int run_program(int argc, char** argv, const Seams& seams);

}  // namespace relay::app
