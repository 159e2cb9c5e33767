// The user of the service, for checks made by root, who can read files that the service cannot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace relay::app {

struct ServiceUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

/// The owner of the queue's folder; if that does not exist, the user of the unit. nullopt: root, or
/// unknown.
std::optional<ServiceUser> service_user(const std::string& queue_path);

/// For each path the errno of opening it for reading as that user; 0 if it can be read. Empty
/// unless we are root, who alone can take over another user's rights.
std::vector<int> errors_of_reading(const ServiceUser& user, const std::vector<std::string>& paths);

}  // namespace relay::app
