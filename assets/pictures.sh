#!/bin/sh
# Pictures of every screen, from the real program on the demo's database.
#
#   assets/pictures.sh TERMSHOT URL [FOLDER]
#
# TERMSHOT runs a program in a pty, types, and saves the screen as PNG. URL is that of the demo's on-call
# login, as `cargo demo -- --headless` prints it. FOLDER (default pictures) gets SIZE-SCREEN.png.
# OPSROOM names the program; without it target/release/opsroom.
set -eu

termshot=$1
url=$2
folder=${3:-pictures}
opsroom=${OPSROOM:-target/release/opsroom}
home=$(mktemp -d)
trap 'rm -r "$home"' EXIT

# Every screen by its keys; what a screen shows is there once it says so, or after a moment.
tour='until:live wait:2 shot:runs
  key:! wait:2 key:j key:j wait:2 shot:failed key:Enter wait:2 shot:run key:Esc wait:0.5 key:= wait:2 shot:comparison key:Esc key:! wait:1
  key:o key:f wait:2 shot:failures key:o key:t wait:2 shot:tenants key:o key:y wait:2 shot:types
  key:o key:w wait:2 shot:workers key:o key:s wait:2 shot:schedules key:o key:n wait:2 shot:notifications
  key:o key:r wait:1 key:? wait:0.5 shot:keys key:Esc text:: wait:0.5 text:fa wait:0.5 shot:palette key:Esc
  text:/ text:is:fa wait:0.7 shot:filter'

pictures() { # SIZE THEME NAME
    "$termshot" --size "$1" --env HOME="$home" --env XDG_CONFIG_HOME= --env XDG_STATE_HOME= \
        --keys "$(echo "$tour" | sed "s/shot:/shot:$3-/g")" --out "$folder" \
        -- "$opsroom" --url "$url" --theme "$2"
}

for size in 40x10 80x24 120x40 200x60; do
    pictures "$size" dark "$size"
done
pictures 120x40 light light
rm -f "$folder"/*.txt
