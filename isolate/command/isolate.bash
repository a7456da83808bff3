# shellcheck shell=bash
# Completion of isolate(1) for bash.  Source it, or install it as
# /usr/share/bash-completion/completions/isolate.

# The options of a command of the program's.
_isolate_options() { # COMMAND
  case $1 in
    run)
      echo --pid --no-pid --net --no-net --ipc --no-ipc --uts --no-uts --mount --no-mount \
        --user --no-user --cgroup --no-cgroup --time --no-time --network= --hostname= --scratch= \
        --tmpfs-size= --read-only= --writable= --memory= --timeout= --grace= --leaks= --report= \
        --audit= --prefer= --require= --verbose --help
      ;;
    list) echo --json --help ;;
    enter) echo --help ;;
    gtest)
      echo --isolate= --jobs= --scope= --suite_setup= --spawn= --network= --hostname= --tmp_size= \
        --memory= --output_limit= --timeout= --slow= --leaks= --allow_leaks= --audit= --grace= \
        --keep= --prefer= --require= --report= --trace= --history= --verbose= --help
      ;;
    doctor) echo --json --help ;;
  esac
}

# The values of an option, where there are few.
_isolate_values() { # COMMAND OPTION
  case $1:$2 in
    *:--network) echo loopback none host ;;
    *:--leaks) echo report fail off ;;
    *:--audit) echo names off ;;
    gtest:--isolate) echo on off ;;
    gtest:--scope) echo test suite ;;
    gtest:--suite_setup) echo each snapshot ;;
    gtest:--spawn) echo fork exec ;;
    gtest:--keep) echo none failed ;;
    gtest:--verbose) echo timing off ;;
  esac
}

# Where in COMP_WORDS the arguments begin that are no options: "--" stands before them, or nothing.
# An option's value is a word of its own here, as is the "=" before it.
_isolate_first_argument() {
  local i
  for ((i = 2; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --) echo $((i + 1)) && return ;;
      = | -*) ;;
      *) [[ ${COMP_WORDS[i - 1]} == = ]] || { echo "$i" && return; } ;;
    esac
  done
  echo "$COMP_CWORD"
}

_isolate() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} option='' words first
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W 'run list enter gtest doctor --help' -- "$current")
    return
  fi
  if [[ $current == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 1]} current=''
  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  first=$(_isolate_first_argument)
  if [[ $command == enter ]]; then
    # Behind the sandbox's name.
    if ((COMP_CWORD > first)); then
      [[ ${COMP_WORDS[COMP_CWORD - 1]} != -- ]] || ((++first))
      ((++first))
    elif [[ $current != -* ]]; then
      # Names are anybody's, and a shell expands what is offered: only such as C++ has.
      words=$(isolate list 2>/dev/null | sed -n -e 's/^init \([0-9]*\),.*/\1/p' \
        -e 's/^  process [^,:]*, [a-z]* \([A-Za-z0-9_./]*\):.*/\1/p')
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      return
    fi
  fi
  if [[ -n $option ]] && ((COMP_CWORD <= first)); then
    words=$(_isolate_values "$command" "$option")
    if [[ -n $words ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
  elif ((COMP_CWORD < first)) || { ((COMP_CWORD == first)) && [[ $current == -* ]]; }; then
    mapfile -t COMPREPLY < <(compgen -W "$(_isolate_options "$command")" -- "$current")
    [[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
  elif ((COMP_CWORD == first)) && [[ $command != list && $command != doctor ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$current")
  fi
}

complete -o default -F _isolate isolate
