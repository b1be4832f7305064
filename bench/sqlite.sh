#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sqlite3 on the test's script, in memory.
exec sqlite3 :memory: <"$(dirname "$0")/../tests/integration/programs/workload.sql"
