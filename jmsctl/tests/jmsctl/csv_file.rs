//! Many users and assets from a table.

use crate::bastion::{Bastion, path, text};

#[test]
fn users_come_from_our_own_columns() {
    let bastion = Bastion::new();
    let (_, key) = bastion.key("laptop", &["-t", "ed25519", "-N", ""]);
    let table = format!(
        "name,full_name,role,user_groups,valid_until,key,comment\n\
         alice,\"Liddell, Alice\",admin,\"ops, web\",2099-01-01T00:00:00Z,{},first\n\
         bob,,,,,,\n",
        key.trim()
    );
    let file = bastion.file("people.csv", &table);
    bastion.ok(&["user", "add", "--csv", path(&file), "--dry-run"]);
    assert_eq!(bastion.ok(&["user", "ls"]), "");
    assert_eq!(
        bastion.json(&["user", "add", "--csv", path(&file)]).len(),
        2
    );
    let alice = &bastion.json(&["user", "show", "alice"])[0];
    assert_eq!(alice["full_name"], "Liddell, Alice");
    assert_eq!(alice["role"], "admin");
    assert_eq!(alice["user_groups"], serde_json::json!(["ops", "web"]));
    assert_eq!(alice["keys"][0]["type"], "ssh-ed25519");
    assert_eq!(bastion.json(&["user", "show", "bob"])[0]["role"], "user");
}

/// As JumpServer's web page exports users and assets.
const ITS_USERS: &str = "\u{feff}ID,*Name,*Username,*Email,Groups,Phone,MFA,System roles,Is active,Date expired,Comment\n\
    0b5c,Alice Liddell,alice,alice@example.org,\"[\"\"ops(9f6e2a0c-1b2c-4d5e-8f90-a1b2c3d4e5f6)\"\"]\",-,0,\"[\"\"SystemAdmin(1)\"\"]\",Yes,2096-12-31 18:00:00 +0800,-\n\
    0b5d,Bob,bob,bob@example.org,[],-,0,\"[\"\"User(3)\"\"]\",No,-,left\n";
const ITS_ASSETS: &str = "ID,*Name,*Address,*Platform,Node path,Protocols,Zone,Labels,Active,Comment\n\
    1,web1,198.51.100.11,Linux(1),\"[\"\"/DEFAULT/web\"\"]\",\"[\"\"ssh/2222\"\",\"\"sftp/2222\"\"]\",-,[],Yes,front\n\
    2,switch1,198.51.100.12,Cisco(9),\"[\"\"/DEFAULT/net\"\"]\",\"[\"\"ssh/22\"\"]\",-,[],No,-\n";

#[test]
fn what_jumpserver_exports_is_understood() {
    let bastion = Bastion::new();
    let users = bastion.file("users.csv", ITS_USERS);
    let output = bastion.run(&["user", "add", "--csv", path(&users)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("columns left aside: ID, Phone, MFA"));
    let alice = &bastion.json(&["user", "show", "alice"])[0];
    assert_eq!(alice["full_name"], "Alice Liddell");
    assert_eq!(alice["role"], "admin");
    assert_eq!(alice["user_groups"][0], "ops");
    assert_eq!(alice["valid_until"], "2096-12-31T10:00:00.000Z");
    assert_eq!(bastion.json(&["user", "show", "bob"])[0]["enabled"], false);

    let assets = bastion.file("assets.csv", ITS_ASSETS);
    bastion.ok(&["asset", "add", "--csv", path(&assets)]);
    let web1 = &bastion.json(&["asset", "show", "web1"])[0];
    assert_eq!(web1["port"], 2222);
    assert_eq!(web1["asset_groups"][0], "/DEFAULT/web");
    let switch = &bastion.json(&["asset", "show", "switch1"])[0];
    assert_eq!(switch["platform"], "network");
    assert_eq!(switch["active"], false);
}

#[test]
fn one_wrong_line_and_nothing_is_added_unless_the_bad_ones_are_to_be_skipped() {
    let bastion = Bastion::new();
    let table = "name,address,port,protocols\n\
        web1,198.51.100.11,22,\n\
        connect,198.51.100.12,22,\n\
        web3,198.51.100.13,many,\n\
        web1,198.51.100.14,22,\n\
        rdp1,198.51.100.15,,rdp/3389\n\
        web6,198.51.100.16\n\
        ,198.51.100.17,22,\n\
        web8,198.51.100.18,22,\n";
    let file = bastion.file("assets.csv", table);
    let said = bastion.fails(2, &["asset", "add", "--csv", path(&file)]);
    for line in [
        "line 3: ",
        "line 4: “many” is no port",
        "line 5: there is already an asset",
        "line 6: it does not speak ssh",
        "line: 7",
        "line 8: the name is missing",
        "6 of 8 lines are wrong",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(bastion.ok(&["asset", "ls"]), "");
    bastion.ok(&["asset", "add", "--csv", path(&file), "--skip-bad"]);
    let names: Vec<_> = bastion
        .json(&["asset", "ls"])
        .iter()
        .map(|asset| asset["name"].clone())
        .collect();
    assert_eq!(names, ["web1", "web8"]);
}

#[test]
fn a_table_without_known_columns_and_flags_beside_it_are_refused() {
    let bastion = Bastion::new();
    for wrong in ["", "web1,198.51.100.11\n", "name,name\na,b\n"] {
        let file = bastion.file("wrong.csv", wrong);
        bastion.fails(2, &["asset", "add", "--csv", path(&file)]);
    }
    let file = bastion.file("right.csv", "name,address\nweb1,198.51.100.11\n");
    bastion.fails(2, &["asset", "add", "web1", "--csv", path(&file)]);
    bastion.fails(2, &["asset", "add", "--csv", path(&file), "--port", "23"]);
    bastion.fails(
        2,
        &[
            "asset",
            "add",
            "web1",
            "--address",
            "198.51.100.11",
            "--skip-bad",
        ],
    );
    bastion.fails(2, &["asset", "add"]);
    bastion.ok(&["asset", "add", "--csv", path(&file)]);
}
