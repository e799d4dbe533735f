# SPDX-License-Identifier: Apache-2.0
# Fails unless PAGE has the text of SNIPPET, less its licence line, as one block of C++.
file(READ "${SNIPPET}" snippet)
file(READ "${PAGE}" page)
string(REGEX REPLACE "^// SPDX[^\n]*\n" "" snippet "${snippet}")
string(FIND "${page}" "```cpp\n${snippet}```" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${PAGE} does not show ${SNIPPET} as it is")
endif()
