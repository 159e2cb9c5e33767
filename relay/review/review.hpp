// Checks a valid configuration for things that are hardly intended. `check` prints the findings,
// `serve` and `reload` log them, and `status` shows them; all are warnings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/openssl_signer.hpp"
#include "relay/base/source_place.hpp"
#include "relay/base/time.hpp"
#include "relay/forward/planner.hpp"
#include "relay/review/doubts.hpp"
#include "relay/review/remembered_secrets.hpp"

namespace relay::settings {
struct Problem;
struct Settings;
}  // namespace relay::settings

namespace relay::review {

/// The certificate of [tls].
struct Certificate {
  base::WallTime begins;
  base::WallTime ends;
  std::vector<std::string> names;
  bool is_for_host_name = false;
};

/// A file that the user of the service cannot read.
struct Unreadable {
  std::string path;
  base::SourcePlace at;  ///< where it is named
  std::string user;
  std::string why;
};

/// What the checks look at. The first four are the parts that a start is built from.
struct Subject {
  const settings::Settings& settings;
  const forward::Policy& forwarding;  ///< of `settings`
  const forward::Planner& planner;
  const auth::SigningKeys& signing;
  base::WallTime now;
  std::optional<Certificate> certificate = {};
  std::vector<boost::asio::ip::address> own = {};  ///< addresses at which others reach us
  std::vector<Unreadable> unreadable = {};
  std::vector<RememberedSecret> remembered = {};  ///< of the last start
};

struct Check {
  std::string_view name;
  void (*look)(const Subject& subject, Doubts& doubts);
};

std::span<const Check> checks();

/// Runs all checks, or only the one named `only`.
std::vector<settings::Problem> review(const Subject& subject, std::string_view only = {});

// The checks, with the file that implements each.
void aliases_that_never_match(const Subject& subject, Doubts& doubts);     ///< aliases.cpp
void aliases_that_stand_twice(const Subject& subject, Doubts& doubts);     ///< aliases.cpp
void groups_of_patterns(const Subject& subject, Doubts& doubts);           ///< patterns.cpp
void targets_of_aliases(const Subject& subject, Doubts& doubts);           ///< targets.cpp
void targets_of_patterns(const Subject& subject, Doubts& doubts);          ///< patterns.cpp
void mapped_domains(const Subject& subject, Doubts& doubts);               ///< targets.cpp
void postmaster(const Subject& subject, Doubts& doubts);                   ///< targets.cpp
void host_name(const Subject& subject, Doubts& doubts);                    ///< names.cpp
void tag_character(const Subject& subject, Doubts& doubts);                ///< names.cpp
void source_addresses(const Subject& subject, Doubts& doubts);             ///< names.cpp
void srs_domain(const Subject& subject, Doubts& doubts);                   ///< names.cpp
void named_clients(const Subject& subject, Doubts& doubts);                ///< arrival.cpp
void certificate_of_tls(const Subject& subject, Doubts& doubts);           ///< keys.cpp
void signing_keys(const Subject& subject, Doubts& doubts);                 ///< keys.cpp
void forgotten_secrets(const Subject& subject, Doubts& doubts);            ///< keys.cpp
void folders_others_can_write_to(const Subject& subject, Doubts& doubts);  ///< files.cpp
void files_of_the_service(const Subject& subject, Doubts& doubts);         ///< files.cpp

}  // namespace relay::review
