# The server's parent. It starts the server for the first participant and stops it after the last.
#
# A participant holds the write end of the FIFO open for as long as it lives, so the end of file is
# what nobody can forget to send. It writes one line when it joins and waits for the answer, a file
# of that name: a join that comes when the server is already being stopped is never answered.
#
# Read from standard input. $1 its name  $2 FIFO  $3 folder of answers  $4 log
# $5 file for the server's pid  $6 seconds to wait for another participant
# $7 seconds until a shutdown is made a harder one  $8... the server and its arguments

# A terminal's keys and its end are for those in front of it.
trap '' HUP INT TERM
fifo=$2 answers=$3 log=$4 launched=$5 grace=$6 patience=$7
shift 7
if [ -f "$log" ]; then mv -f "$log" "$log.old"; fi
exec >"$log" 2>&1

# Opening waits for a writer. Should the first participant die before it joins, `sleep` is one.
mkfifo -m 600 "$fifo" || exit 1
identity=$(ls -i "$fifo")
sleep 20 >"$fifo" &
holder=$!
exec 3<"$fifo"
read -r token <&3 || exit 1
"$@" 3<&- </dev/null &
server=$!
echo "$server" >"$launched"
: >"$answers/$token"
kill -KILL "$holder"

# Answers whoever joins, until nobody holds the FIFO open; says in `joined` whether anybody came.
answer() {
  joined=0
  while read -r token <&3; do
    if [ -n "$token" ]; then
      joined=1
      : >"$answers/$token"
    fi
  done
}

answer
while [ "$grace" -gt 0 ]; do
  # Another FIFO in this place: our server died, and somebody started a new one.
  [ "$(ls -i "$fifo" 2>/dev/null)" = "$identity" ] || break
  # Holding the write end a while longer is the whole grace period.
  exec 4>"$fifo"
  sleep "$grace" 3<&- &
  exec 4>&-
  answer
  [ "$joined" = 1 ] || break
done
exec 3<&-

# A pid is believed only while it is a postgres: ours may have died and its number been given away.
alive() {
  kill -0 "$server" 2>/dev/null || return 1
  [ -r "/proc/$server/comm" ] || return 0
  read -r name <"/proc/$server/comm" && [ "$name" = postgres ]
}

for signal in INT QUIT KILL; do
  alive || break
  kill -"$signal" "$server"
  ticks=$((patience * 20))
  while [ "$ticks" -gt 0 ] && alive; do
    sleep 0.05 2>/dev/null || sleep 1
    ticks=$((ticks - 1))
  done
done
