// Response objects of the control socket as text for a terminal.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace relay::ops {

/// Lines for people; `verb` as sent ("queue.list", "status", …).
std::string render_text(const std::string& verb, const std::vector<boost::json::object>& objects);

}  // namespace relay::ops
