// Whom the service runs as, when somebody else asks: root reads everything, and the service does
// not.
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

/// Who owns the folder of the queue; as long as that is not there, the user of the unit. nullopt:
/// it is root, or nobody knows.
std::optional<ServiceUser> service_user(const std::string& queue_path);

/// For each path the errno of opening it for reading as that user, 0 when it can be read. Empty
/// when we cannot be that user: only root can.
std::vector<int> errors_of_reading(const ServiceUser& user, const std::vector<std::string>& paths);

}  // namespace relay::app
