# shellcheck shell=bash
# A cluster of processes on this machine: PostgreSQL, silos and a gateway, on loopback. Sourced by `dev`.
#
# Each process has a file NAME.pid (its id, and when it started: an id alone may be another program's by now) and a NAME.log.

offset=${GRANARY_PORT_OFFSET:-0}
data=${GRANARY_DATA:-$root/.granary}
cluster=$data/cluster
silo_program=$root/src/Silo/bin/Release/net10.0/Granary.Silo.dll
gateway_program=$root/src/Gateway/bin/Release/net10.0/Granary.Gateway.dll
start_patience=120
stop_patience=60

kafka_port() { case $1 in gateway) echo $((9092 + offset)) ;; *) echo $((9092 + ${1#silo-} + offset)) ;; esac; }
http_port() { case $1 in gateway) echo $((8080 + offset)) ;; *) echo $((8080 + ${1#silo-} + offset)) ;; esac; }

# name_of 2 = silo-2; gateway and postgres are their own names.
name_of() {
  case $1 in
    gateway | postgres) echo "$1" ;;
    silo-[0-9] | silo-[0-9][0-9]) echo "$1" ;;
    [1-9] | [1-9][0-9]) echo "silo-$1" ;;
    *) say "'$1' is no part of the cluster: a silo's number, gateway or postgres is wanted"; return 2 ;;
  esac
}

# When a process started, as the system tells it; nothing where there is none, or one that has ended and is not yet buried.
born() {
  local stat
  if [ -r "/proc/$1/stat" ]; then
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    # What follows the program's name, which may hold anything: state is the first word, the start the twentieth.
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
  else
    ps -o lstart= -p "$1" 2>/dev/null
  fi
}

# The id of a process that we started and that still runs.
pid_of() {
  local pid start
  [ -r "$cluster/$1.pid" ] || return 1
  { read -r pid && read -r start; } <"$cluster/$1.pid" || return 1
  [ -n "$start" ] && [ "$(born "$pid")" = "$start" ] && echo "$pid"
}

# The server of the embedded PostgreSQL, which the process `postgres` keeps running.
postmaster() {
  local pid folder
  { read -r pid && read -r folder; } 2>/dev/null <"$cluster/postgres/postmaster.pid" || return 1
  [ "$folder" = "$cluster/postgres" ] && [ -n "$(born "$pid")" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null || echo postgres)" = postgres ] && echo "$pid"
}

# launch NAME COMMAND...: starts it apart from this terminal.
launch() {
  local name=$1
  shift
  if command -v setsid >/dev/null 2>&1; then
    setsid "$@" </dev/null >>"$cluster/$name.log" 2>&1 &
  else
    nohup "$@" </dev/null >>"$cluster/$name.log" 2>&1 &
  fi
  printf '%s\n%s\n' "$!" "$(born "$!")" >"$cluster/$name.pid"
}

# http_get PORT PATH: the body; succeeds where the status is 200. Without curl, which is not everywhere.
http_get() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    IFS= read -r -t 5 status <&3
    while IFS= read -r -t 5 line <&3 && [ "$line" != $'\r' ]; do :; done
    while IFS= read -r -t 5 line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
    case $status in *' 200 '*) ;; *) exit 1 ;; esac
  ) 2>/dev/null
}

is_ready() { http_get "$(http_port "$1")" /health/ready >/dev/null; }

give_up() {
  say "$1: the last of $cluster/$2.log:"
  tail -n 5 "$cluster/$2.log" >&2
  return 1
}

await_ready() {
  local name=$1 deadline=$((SECONDS + start_patience))
  until is_ready "$name"; do
    pid_of "$name" >/dev/null || { give_up "$name ended" "$name"; return 1; }
    [ $SECONDS -lt $deadline ] || { give_up "$name is not ready after $start_patience s" "$name"; return 1; }
    sleep 0.2
  done
}

# Starts PostgreSQL unless one is given or runs, and learns how to connect to it.
start_postgres() {
  [ -z "${ConnectionStrings__Granary:-}" ] || return 0
  local deadline=$((SECONDS + start_patience))
  if ! pid_of postgres >/dev/null; then
    : >"$cluster/postgres.setting"
    GRANARY_DATA=$cluster launch postgres bash -c 'exec dotnet "$1" postgres >"$2"' - "$silo_program" "$cluster/postgres.setting"
  fi
  until grep -q '^ConnectionStrings__Granary=' "$cluster/postgres.setting"; do
    pid_of postgres >/dev/null || { give_up "postgres ended" postgres; return 1; }
    [ $SECONDS -lt $deadline ] || { give_up "postgres is not ready after $start_patience s" postgres; return 1; }
    sleep 0.1
  done
  ConnectionStrings__Granary=$(sed -n 's/^ConnectionStrings__Granary=//p' "$cluster/postgres.setting")
  export ConnectionStrings__Granary
}

start_silo() {
  local number=${1#silo-}
  pid_of "$1" >/dev/null && return 0
  Granary__SiloName=$1 Granary__SiloAddress=127.0.0.1 \
    Granary__SiloPort=$((11110 + number + offset)) Granary__GatewayPort=$((29999 + number + offset)) \
    Granary__HttpUrl=http://127.0.0.1:$(http_port "$1") \
    Granary__Kafka__Address=127.0.0.1 Granary__Kafka__Port=$(kafka_port "$1") \
    Granary__Kafka__AdvertisedHost=127.0.0.1 Granary__Kafka__AdvertisedPort=$(kafka_port "$1") \
    launch "$1" dotnet "$silo_program"
}

start_gateway() {
  pid_of gateway >/dev/null && return 0
  Granary__HttpUrl=http://127.0.0.1:$(http_port gateway) \
    Granary__Kafka__Address=127.0.0.1 Granary__Kafka__Port=$(kafka_port gateway) \
    Granary__Kafka__AdvertisedHost=127.0.0.1 Granary__Kafka__AdvertisedPort=$(kafka_port gateway) \
    launch gateway dotnet "$gateway_program"
}

describe() { printf '%-9s Kafka 127.0.0.1:%s  HTTP http://127.0.0.1:%s  pid %s\n' "$1" "$(kafka_port "$1")" "$(http_port "$1")" "$(pid_of "$1")"; }

# cluster N: PostgreSQL, silos 1 to N and a gateway; those that run already are left alone.
start_cluster() {
  local count=${1:-3} number
  case $count in [1-9] | [1-9][0-9]) ;; *) say "'$count' is no number of silos: 1 to 99"; return 2 ;; esac
  need_dotnet
  need_postgres
  build src/Silo
  build src/Gateway
  mkdir -p "$cluster"
  start_postgres
  for ((number = 1; number <= count; number++)); do start_silo "silo-$number"; done
  start_gateway
  for ((number = 1; number <= count; number++)); do
    await_ready "silo-$number"
    describe "silo-$number"
  done
  await_ready gateway
  describe gateway
  echo "Logs: $cluster/*.log. ./dev status shows who leads what; ./dev kill 2, ./dev stop 2 and ./dev start 2 try it; ./dev stop ends all."
}

start_part() {
  local name
  [ $# = 1 ] || { say "./dev start N: which silo? (or gateway, postgres)"; return 2; }
  name=$(name_of "$1")
  [ -d "$cluster" ] && [ -f "$silo_program" ] || { say "there is no cluster yet: ./dev cluster 3"; return 2; }
  start_postgres
  case $name in
    postgres) return 0 ;;
    gateway) start_gateway ;;
    *) start_silo "$name" ;;
  esac
  await_ready "$name"
  describe "$name"
}

# kill -9, as a crash would. PostgreSQL's own server is what is killed there; its keeper starts it again.
kill_part() {
  local name pid
  [ $# = 1 ] || { say "./dev kill N: which silo? (or gateway, postgres)"; return 2; }
  name=$(name_of "$1")
  if [ "$name" = postgres ]; then pid=$(postmaster) || pid=; else pid=$(pid_of "$name") || pid=; fi
  [ -n "$pid" ] || { say "$name does not run"; return 1; }
  kill -9 "$pid"
  echo "$name (pid $pid) was killed"
}

# terminate NAME: asks it to stop; await_end NAME: waits until it has.
terminate() {
  local pid
  pid=$(pid_of "$1") && kill "$pid"
}

await_end() {
  local name=$1 pid deadline=$((SECONDS + stop_patience))
  while pid=$(pid_of "$name"); do
    if [ $SECONDS -ge $deadline ]; then
      say "$name did not stop in $stop_patience s and is killed"
      kill -9 "$pid"
      deadline=$((SECONDS + stop_patience))
    fi
    sleep 0.1
  done
  rm -f "$cluster/$name.pid"
  echo "$name has stopped"
}

# Names of the silos that run.
running_silos() {
  local file
  for file in "$cluster"/silo-*.pid; do
    [ -e "$file" ] || continue
    file=${file##*/}
    ! pid_of "${file%.pid}" >/dev/null || echo "${file%.pid}"
  done
}

# stop N: that one; stop: all, PostgreSQL last. The silos of a cluster that ends have nobody to hand over to: they stop together.
stop_part() {
  local name names
  if [ $# -gt 0 ]; then
    name=$(name_of "$1")
    terminate "$name" || { say "$name does not run"; return 1; }
    await_end "$name"
    return
  fi
  names="gateway $(running_silos)"
  pid_of postgres >/dev/null || pid_of gateway >/dev/null || [ "$names" != "gateway " ] || { say "nothing runs"; return 0; }
  for name in $names; do terminate "$name" || true; done
  for name in $names postgres; do
    [ "$name" != postgres ] || terminate postgres || true
    [ ! -e "$cluster/$name.pid" ] || await_end "$name"
  done
}

status() {
  local file name any=
  for file in "$cluster"/silo-*.pid "$cluster/gateway.pid"; do
    [ -e "$file" ] || continue
    name=${file##*/}
    name=${name%.pid}
    if ! pid_of "$name" >/dev/null; then
      printf '%-9s does not run\n' "$name"
    elif is_ready "$name"; then
      describe "$name"
      any=${any:-$name}
    else
      printf '%s  NOT READY: %s\n' "$(describe "$name")" "$(http_get "$(http_port "$name")" /health/ready)"
    fi
  done
  [ -n "$any" ] || { say "nothing that could tell more: ./dev cluster 3 starts a cluster"; return 1; }
  dotnet "$gateway_program" status --Granary:HttpUrl="http://127.0.0.1:$(http_port "$any")"
}
