# Sourced by server/quickstart and tests/run: installs what is missing of the Debian packages
# that they name.

packages_build="g++ cmake ninja-build libboost1.81-dev libboost-json1.81-dev
    libsqlite3-dev libpq-dev librabbitmq-dev libcli11-dev libssl-dev prometheus-cpp-dev zlib1g-dev"
packages_test="libboost-test1.81-dev liblmdb-dev"
packages_integration="python3 python3-pika chromium rabbitmq-server postgresql-15 pgbouncer openssl
    curl iproute2 mypy python3-httpx python3-yaml prometheus prometheus-alertmanager"
packages_soak="python3 postgresql-15 patroni etcd-server python3-yaml prometheus rabbitmq-server"
packages_package="python3 pkg-config make"
packages_clang="clang-16 lld-16 libclang-rt-16-dev"
packages_tidy="clang-tidy-16"

# Whoever has Node.js from elsewhere keeps it.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    packages_integration="$packages_integration nodejs npm"
fi

# need_packages NAME...: nothing to do, and no network, when all are there.
need_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Needs root (or sudo) to install: ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    # Services that come along are not started: a policy-rc.d (invoke-rc.d(8)) for so long.
    local policy=/usr/sbin/policy-rc.d made_policy= status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
        made_policy=1
    fi
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
    [ -z "$made_policy" ] || "${as_root[@]}" rm -f "$policy"
    return "$status"
}
