# The .rpm's files, from the .deb's list and what is only here: TOML for `cargo generate-rpm --metadata-overwrite`.
# Input: cargo metadata. $architecture: Debian's name of it. $lib: where libraries lie. $scripts: a folder with the scriptlets.
def quoted: tojson;

# Where Debian and Red Hat differ.
def destination($lib):
  "/" + .
  | sub("^/usr/lib/[a-z0-9_]+-linux-gnu"; $lib)
  | sub("^/usr/share/zsh/vendor-completions/"; "/usr/share/zsh/site-functions/");

# One of the .deb's: [source, destination, mode].
def file($lib):
  { source: (.[0] | sub("^\\.\\./"; "")), dest: (.[1] | destination($lib)), mode: .[2] }
  | if .dest | startswith("/etc/") then .config = "noreplace" else . end
  | if .dest | test("^/usr/share/(doc|man)/") then .doc = true else . end
  # The user is made by %pre; rpm gives a file its owner and mode before it has its name.
  | if .source | endswith("/force-command") then .mode = "4755" | .user = "jms" | .group = "root" else . end;

(.packages[] | select(.name == "jmsctl").metadata.deb) as $deb
| ($deb.assets + $deb.variants[$architecture]["merge-assets"].append
    | map(select(.[1] | test("^usr/share/(pam-configs|lintian)/") | not) | file($lib)))
+ [
    { source: "packaging/rpm/pam-sshd", dest: "/usr/share/jms/", mode: "644" },
    { source: "packaging/sysusers.d/jms.conf", dest: "/usr/lib/sysusers.d/", mode: "644" },
    { source: "target/release/package/selinux/jms.pp.bz2", dest: "/usr/share/selinux/packages/", mode: "644" }
  ]
| "assets = [",
  (.[] | "  { " + (to_entries | map("\(.key) = \(.value | quoted)") | join(", ")) + " },"),
  "]",
  ({ pre_install: "pre", post_install: "post", pre_uninstall: "preun", post_uninstall: "postun" }
    | to_entries[]
    | "\(.key)_script = \($scripts + "/" + .value | quoted)", "\(.key)_script_prog = [\"/bin/sh\"]")
