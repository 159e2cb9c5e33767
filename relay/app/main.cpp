#include "relay/app/program.hpp"

int main(int argc, char** argv) { return relay::app::run_program(argc, argv, {}); }
