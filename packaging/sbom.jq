# What the package's programs are made of, as CycloneDX 1.5, from `cargo metadata`.
#
# $roots: names of our crates with a program or library of their own; $checksums: {"NAME VERSION": SHA-256} of Cargo.lock;
# $sqlite: version of the SQLite that libsqlite3-sys brings along; $glibc: Debian's version of the C library that is linked into
# authorized-keys-command and jms-pam-helper; $version, $time: the package's.

def purl: "pkg:cargo/\(.name)@\(.version)";

# Only what ends up in the programs: neither tests nor what build scripts use.
def linked: .deps | map(select(any(.dep_kinds[]; .kind == null)) | .pkg);

(.packages | map({key: .id, value: .}) | from_entries) as $packages
| (.resolve.nodes | map({key: .id, value: linked}) | from_entries) as $edges
| [.packages[] | select(.source == null and (.name as $name | $roots | index($name))) | .id] as $first
# A procedural macro writes source text; neither it nor what it stands on is linked.
| def is_macro: $packages[.].targets | any(.kind | index("proc-macro"));
  def children: $edges[.] | map(select(is_macro | not));
  def closure: . as $found
    | ([.[] | children[]] + . | unique) as $more
    | if ($more | length) == ($found | length) then . else $more | closure end;
  ($first | unique | closure | sort_by($packages[.] | [.name, .version])) as $all
| {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
        timestamp: $time,
        component: {
            type: "application", name: "jms", version: $version, "bom-ref": "jms",
            licenses: [{expression: "Apache-2.0 OR MIT"}]
        }
    },
    components: (
        [ $all[] | $packages[.]
          | { type: "library", name, version, "bom-ref": purl, purl: purl,
              licenses: [{expression: ((.license // "NOASSERTION") | gsub("/"; " OR "))}] }
            + (if .source == null then {} else {hashes: [{alg: "SHA-256", content: $checksums["\(.name) \(.version)"]}]} end)
            + (if .repository then {externalReferences: [{type: "vcs", url: .repository}]} else {} end) ]
        + [ { type: "library", name: "sqlite", version: $sqlite, "bom-ref": "sqlite",
              cpe: "cpe:2.3:a:sqlite:sqlite:\($sqlite):*:*:*:*:*:*:*", purl: "pkg:generic/sqlite@\($sqlite)" } ]
        + [ { type: "library", name: "glibc", version: $glibc, "bom-ref": "glibc",
              licenses: [{expression: "LGPL-2.1-or-later"}],
              purl: "pkg:deb/debian/glibc@\($glibc | @uri)" } ]
    ),
    dependencies: (
        [ {ref: "jms", dependsOn: [$first[] | $packages[.] | purl] | sort} ]
        + [ $all[]
            | { ref: ($packages[.] | purl),
                dependsOn: ([children[] | $packages[.] | purl]
                    + (if $packages[.].name == "libsqlite3-sys" then ["sqlite"] else [] end)
                    + (if $packages[.].name | IN("authorized_keys_command", "jms-pam-helper") then ["glibc"] else [] end) | sort) } ]
        + [ {ref: "sqlite", dependsOn: []}, {ref: "glibc", dependsOn: []} ]
    )
  }
