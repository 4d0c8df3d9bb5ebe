# Files that this script writes, and remembers to have written. Sourced by host-setup.sh.
#
# Everything is done in two rounds over the same steps: with mode=plan a step only says what it would do and counts it,
# with mode=act it does so. A conflict found in the first round keeps the second from happening.
#
# $manifest holds one line for each thing made:  file SHA256 PATH | link TARGET PATH | dir - PATH | tree - PATH |
# package - NAME. Paths are those of the target system, without $root.
# shellcheck shell=bash disable=SC2154  # root, mode, activate: set by host-setup.sh

readonly manifest=/usr/local/lib/vcam/installed
changes=0
conflicts=()

say() { printf '%s\n' "$*"; }
note() { [[ $mode == act ]] || printf '  note: %s\n' "$*"; }

will() { # what will happen; true when it shall happen now
  changes=$((changes + 1))
  printf '  %s %s\n' "$([[ $mode == act ]] && echo '->' || echo '*')" "$*"
  [[ $mode == act ]]
}

conflict() { conflicts+=("$*"); }

tell_conflicts() {
  printf 'host-setup: nothing was changed, because:\n' >&2
  printf '  %s\n' "${conflicts[@]}" >&2
}

fingerprint() { sha256sum <"$1" | cut -d' ' -f1; }

recorded() { # KIND PATH: what the manifest says of it, empty when nothing
  [[ -f $root$manifest ]] || return 0
  awk -v kind="$1" -v path="$2" '$1 == kind && substr($0, index($0, $3)) == path {print $2; exit}' "$root$manifest"
}

record() { # KIND VALUE PATH
  forget "$1" "$3"
  printf '%s %s %s\n' "$1" "$2" "$3" >>"$root$manifest"
}

forget() { # KIND PATH
  local lines
  lines=$(awk -v kind="$1" -v path="$2" '!($1 == kind && substr($0, index($0, $3)) == path)' "$root$manifest")
  printf '%s' "${lines:+$lines
}" >"$root$manifest"
}

make_folder() { # PATH: with its parents, remembering those that were not there
  [[ -d $root$1 || $1 == / || -z $1 ]] && return 0
  make_folder "$(dirname "$1")"
  mkdir "$root$1"
  made_folders+=("$1")
}

make_place() { # for FILE: its folder and the manifest
  made_folders=()
  make_folder "$(dirname "$manifest")"
  [[ -f $root$manifest ]] || : >"$root$manifest"
  make_folder "$(dirname "$1")"
  local folder
  for folder in "${made_folders[@]}"; do record dir - "$folder"; done
}

put_file() { # PATH PERMISSIONS, the text on stdin
  local path=$1 text old now
  text=$(cat; printf .) # the dot keeps the last newline
  text=${text%.}
  if [[ -e $root$path || -L $root$path ]]; then
    [[ -f $root$path ]] || { conflict "$path is there and is no file"; return 0; }
    now=$(fingerprint "$root$path")
    [[ $now != "$(printf %s "$text" | sha256sum | cut -d' ' -f1)" ]] || return 0
    old=$(recorded file "$path")
    if [[ -z $old ]]; then
      conflict "$path is there and is not ours: move it away, then try again"
      return 0
    fi
    if [[ $now != "$old" ]]; then
      note "$path was changed by hand and stays so; remove it to get the new one"
      return 0
    fi
    will "update $path" || return 0
  else
    will "write $path" || return 0
  fi
  make_place "$path"
  printf %s "$text" >"$root$path.new"
  chmod "$2" "$root$path.new"
  mv "$root$path.new" "$root$path"
  record file "$(fingerprint "$root$path")" "$path"
}

put_once() { # PATH PERMISSIONS, the text on stdin: for files that are the user's as soon as they are there
  if [[ -e $root$1 ]]; then
    cat >/dev/null
  else
    put_file "$@"
  fi
}

put_link() { # PATH TARGET
  local now=''
  [[ ! -L $root$1 ]] || now=$(readlink "$root$1")
  [[ $now != "$2" ]] || return 0
  if [[ -e $root$1 || -L $root$1 ]]; then
    [[ -n $now && $now == "$(recorded link "$1")" ]] || { conflict "$1 is there and is not ours"; return 0; }
  fi
  will "link $1 to $2" || return 0
  make_place "$1"
  ln -sfn "$2" "$root$1"
  record link "$2" "$1"
}

drop() { # PATH: what an earlier run wrote and this one does not want; anything else stays
  local old
  old=$(recorded file "$1")
  [[ -n $old && -f $root$1 ]] || return 0
  if [[ $(fingerprint "$root$1") != "$old" ]]; then
    note "$1 was changed by hand and stays; remove it yourself"
    return 0
  fi
  will "remove $1" || return 0
  rm "$root$1"
  forget file "$1"
}

perform() { # COMMAND...: a command of the system; one that fails is told and does not end the set-up
  [[ $activate == yes ]] || return 0
  will "run: $*" || return 0
  "$@" || printf '     failed (%s): %s\n' "$?" "$*" >&2
}

remove_all() { # everything in the manifest, the newest first
  local kind value path folders=()
  while read -r kind value path; do
    case $kind in
      file | link) remove_one "$kind" "$value" "$path" ;;
      tree) if [[ -d $root$path ]] && will "remove $path and all in it"; then rm -rf -- "$root$path"; fi ;;
      package) note "the package $path was installed for vcam and stays; remove it with: $(removal_of "$path")" ;;
      dir) folders+=("$path") ;;
    esac
  done < <(tac "$root$manifest")
  will "remove $manifest" || return 0
  rm "$root$manifest"
  for path in "${folders[@]}"; do # the innermost come first
    if [[ -d $root$path ]]; then rmdir --ignore-fail-on-non-empty "$root$path"; fi
  done
}

remove_one() { # KIND VALUE PATH
  local now
  if [[ $1 == link ]]; then
    [[ -L $root$3 ]] || return 0
    now=$(readlink "$root$3")
  else
    [[ -f $root$3 ]] || return 0
    now=$(fingerprint "$root$3")
  fi
  if [[ $now != "$2" ]]; then
    note "$3 was changed by hand and stays"
  elif will "remove $3"; then
    rm "$root$3"
  fi
}
