// SPDX-License-Identifier: Apache-2.0
#include "core/testing/fake_clock.hpp"
