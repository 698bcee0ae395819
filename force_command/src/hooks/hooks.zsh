command rm -f -- "$ZDOTDIR/.zshenv"; command rmdir -- "$ZDOTDIR";
if [[ -n $JMS_ZDOTDIR ]]; then ZDOTDIR=$JMS_ZDOTDIR; else unset ZDOTDIR; fi; unset JMS_ZDOTDIR;
__jms_write() {
  emulate -L zsh; unsetopt multibyte; local i c t=$2;
  (( ${#t} > 65537 )) && t=${t[1,65537]};
  t=${t//[%]/%25};
  if [[ $t == *[[:cntrl:]]* ]]; then
    for i in {1..31} 127; do
      builtin printf -v i %02x "$i"; builtin printf -v c "\x$i"; t=${t//"$c"/%$i};
    done;
  fi;
  builtin printf -v c "\033Pjms;%s;%s;%s\033\134" "$1" "${#t}" "$t";
  builtin print -rn -u $__jms_fd -- "$c";
};
__jms_read() {
  emulate -L zsh; unsetopt multibyte; local IFS= e a;
  builtin printf -v e "\033[77;%s;" "$1"; got=;
  while builtin read -r -s -d z ${3:+-t$3} -u $__jms_fd a; do
    got=$got$a;
    if [[ $got == *"$e"${~2} ]]; then a=${got##*"$e"}; got=${got%"$e"*}; answer=$a; return 0; fi;
    got=${got}z;
  done;
  return 1;
};
__jms_preexec() {
  { emulate -L zsh; unsetopt xtrace } 2>/dev/null; [[ -n $__jms_t ]] || return 0;
  setopt localtraps; local got answer __jms_fd k=$RANDOM$RANDOM$RANDOM;
  { exec {__jms_fd}<>/dev/tty } 2>/dev/null || return 0;
  {
    __jms_write "$__jms_t;c;$k;$(( ${#1} > 0 ));$HISTCMD" "${1:-$3}";
    if __jms_read "$k" "[01]"; then
      __jms_write "$__jms_t;g;$k" "$got";
      if [[ $answer == 0 ]]; then builtin trap - INT; builtin kill -INT $$; fi;
    else builtin kill -KILL $$; fi;
  } always { exec {__jms_fd}>&- };
  return 0;
};
__jms_precmd() {
  { local s=$? f=0; setopt localoptions; unsetopt xtrace } 2>/dev/null; [[ -n $__jms_t ]] || return $s;
  (( ${preexec_functions[(I)__jms_preexec]} )) && f=1;
  { local m; builtin printf -v m "\033Pjms;%s;p;%s;0;\033\134" "$__jms_t" "$f"; builtin print -rn -- "$m" >/dev/tty } 2>/dev/null;
  return $s;
};
__jms_stray() { local c; while builtin read -s -t 1 -k 1 c && [[ $c == [^z] ]]; do :; done; };
__jms_start() {
  { emulate -L zsh; unsetopt xtrace } 2>/dev/null; local got answer __jms_fd m k=$RANDOM$RANDOM$RANDOM;
  precmd_functions=(${precmd_functions:#__jms_start});
  { exec {__jms_fd}<>/dev/tty } 2>/dev/null || return 0;
  builtin printf -v m "\033Pjms;hello;%s;zsh\033\134" "$k"; builtin print -rn -u $__jms_fd -- "$m";
  if __jms_read "$k" "????????????????????????????????" 20; then
    typeset -gr +x __jms_t=$answer; typeset -ga preexec_functions; preexec_functions+=(__jms_preexec); precmd_functions+=(__jms_precmd);
    zle -N __jms_stray; for m in emacs viins vicmd; do bindkey -M $m "^[[77;" __jms_stray; done;
    __jms_write "$__jms_t;h;$k" "$got"; __jms_write "$__jms_t;p;1" "";
  fi;
  exec {__jms_fd}>&-;
};
typeset -ga precmd_functions; precmd_functions+=(__jms_start);
[[ -r ${ZDOTDIR:-$HOME}/.zshenv ]] && . "${ZDOTDIR:-$HOME}/.zshenv"
