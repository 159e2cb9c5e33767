// The tables of the queue and their migrations: forward only, each step in one transaction
// (guarantee "An upgrade is whole or not at all").
#pragma once

#include <optional>
#include <string>

#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// Of the database file: a message of 4 KiB fits into one page.
inline constexpr int kPageOctets = 8192;

/// The schema version of this program: the number of steps in schema.cpp.
int schema_version();

/// Why this program does not open a queue of that schema version; nullopt: it does.
std::optional<std::string> objection_to(int version);

/// Throws DatabaseError; its text says so if the file was written by a newer program.
void migrate(Connection& connection);

/// The same up to `version`, that of an older program.
void migrate_to(Connection& connection, int version);

}  // namespace relay::spool
