// Changes by attempts, and the notices owed for them, in the rows of MemorySpool.
#pragma once

#include <expected>

#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

std::expected<ports::RecordAnswer, ports::SpoolError> record_in(MemoryCore& core,
                                                                const ports::Update& update);

std::expected<ports::Notices, ports::SpoolError> notices_in(MemoryCore& core,
                                                            const mail::MessageId& id);

std::expected<void, ports::SpoolError> pay_in(MemoryCore& core, const ports::Report& report);

}  // namespace relay::fakes
