// Precompiled for every test; contains no declaration of ours.
#pragma once

#include <fstream>
#include <ranges>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/base/asio_pch.hpp"
