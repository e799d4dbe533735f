// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

int main(int argc, char** argv) {
  return keyturn::cli::run({argv + 1, argv + argc}, keyturn::cli::process_terminal());
}
