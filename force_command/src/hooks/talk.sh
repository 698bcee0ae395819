exec 7<>/dev/tty || exit 0;
IFS= read -r kind; IFS= read -r token; IFS= read -r nonce; IFS= read -r fields; IFS= read -r text;
modes=$(stty -g <&7); stty -echo -isig -icanon min 1 time 0 <&7;
if [ "$kind" = hello ]; then
  printf "\033Pjms;hello;%s;fish\033\134" "$nonce" >&7; want="????????????????????????????????"; kind=h;
else
  printf "\033Pjms;%s;c;%s;%s;%s;%s\033\134" "$token" "$nonce" "$fields" "${#text}" "$text" >&7; want="[01]";
  kind=g;
fi;
begin=$(printf "\033[77;%s;" "$nonce"); got=;
while :; do
  some=$(dd bs=4096 count=1 <&7 2>/dev/null; printf x); some=${some%x};
  [ -n "$some" ] || { [ "$fields" = "1;0" ] && kill -KILL "$PPID"; exit 1; };
  got=$got$some;
  case $got in *"$begin"${want}z*) break;; esac;
done;
rest=${got#*"$begin"}; answer=${rest%%z*}; got=${got%%"$begin"*}${rest#*z};
[ "$kind" = h ] && { token=$answer; printf "%s" "$answer"; };
[ "$fields" = "1;0" ] && [ "$answer" = 0 ] && { printf "\033Pjms;%s;x;%s;0;\033\134" "$token" "$nonce" >&7; cat <&7 >/dev/null; kill -KILL "$PPID"; };
eaten=; [ -n "$got" ] && eaten=$(printf %s "$got" | od -An -v -tx1 | tr -d "\n" | sed "s/ /%/g");
printf "\033Pjms;%s;%s;%s;%s;%s\033\134" "$token" "$kind" "$nonce" "${#eaten}" "$eaten" >&7;
stty "$modes" <&7;
[ "$answer" = 0 ] && exit 1;
exit 0
