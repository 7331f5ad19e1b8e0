# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # TMP, B come from lib.sh
# For tests of host/ against real sshds of this machine, which log root in with the key $TMP/client and have the host
# key $TMP/host. After lib.sh:
#
#   needs_sshd "what is tried" rsync
#   make_keys client host
#   start_sshd one              # its port is in $one

# needs_sshd WHAT [PROGRAM...]: where it cannot be tried, the test is skipped.
needs_sshd() {
    local what=$1 need
    shift
    for need in /usr/sbin/sshd "$@"; do
        command -v "$need" >/dev/null || { skip "$what" "no $need"; finish; }
    done
    [ "$(id -u)" = 0 ] || { skip "$what" "sshd logs root in only as root"; finish; }
    mkdir -p /run/sshd
}

# make_keys NAME...: key pairs $TMP/NAME, $TMP/NAME.pub
make_keys() {
    local key
    for key; do "$B/integration/ssh_driver" keys "$TMP" "$key"; done
}

# start_sshd NAME [LINE...]: its port is in the variable NAME; its log in $TMP/NAME.log.
start_sshd() {
    local name=$1 port
    shift
    port=$(free_port)
    {
        printf '%s\n' "Port $port" "ListenAddress 127.0.0.1" "HostKey $TMP/host" "PidFile none" "StrictModes no" \
            "AuthorizedKeysFile $TMP/client.pub" "UsePAM no" "PasswordAuthentication no" \
            "KbdInteractiveAuthentication no" "PrintMotd no" "AllowUsers root" "LogLevel VERBOSE" \
            "SetEnv SHLVL=2" "$@" # else bash begins with the ~/.bashrc of whoever runs this
    } >"$TMP/$name.conf"
    /usr/sbin/sshd -D -E "$TMP/$name.log" -f "$TMP/$name.conf" &
    on_exit "kill $!"
    printf -v "$name" %s "$port"
    wait_until 10 grep -q "Server listening" "$TMP/$name.log"
}
