#!/bin/bash
# SPDX-License-Identifier: MIT
# The hooks of the catalog's components in real containers, driven by a few lines of shell in place of the agent: so a
# fault here is the hook's or the image's. Usage: components.sh [ceph|etcd]...   BASE=IMAGE chooses the base.
set -eu
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

for need in docker jq openssl; do command -v "$need" >/dev/null || { skip "components" "no $need"; finish; }; done
docker info >/dev/null 2>&1 || { skip "components" "no Docker"; finish; }

P=components-test-$$
SUBNET=10.231.$((RANDOM % 250)).0/24
FSID=$(cat /proc/sys/kernel/random/uuid)
# shellcheck source=tests/integration/components_lib.sh
. "$(dirname "$0")/components_lib.sh"
