// The tables of the queue, and how older ones become current ones: forward only, each step in one
// transaction.
#pragma once

#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// The version this program writes: as many as there are steps in schema.cpp.
int schema_version();

/// Throws DatabaseError; its text says so when the file is of a newer program.
void migrate(Connection& connection);

/// The same, but no further than to the version of an older program.
void migrate_to(Connection& connection, int version);

}  // namespace relay::spool
