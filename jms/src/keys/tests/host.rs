use super::{KINDS, Keygen};
use crate::keys::{HostKey, HostKeyError, KeyKind, PublicKeyError, parse_keyscan};

fn host_key(keygen: &Keygen, arguments: &[&str]) -> HostKey {
    keygen.make("host", arguments);
    HostKey::parse_line(&keygen.read("host.pub")).unwrap()
}

#[test]
fn ssh_keygen_finds_our_lines_in_known_hosts() {
    let keygen = Keygen::new();
    for (_, arguments) in KINDS {
        let key = host_key(&keygen, arguments);
        for (address, port, asked) in [
            ("192.0.2.1", 22, "192.0.2.1"),
            ("192.0.2.1", 2222, "[192.0.2.1]:2222"),
            ("web1.example.org", 22, "web1.example.org"),
            ("WEB1.example.org", 22, "web1.example.org"),
            ("2001:db8::1", 22, "2001:db8::1"),
            ("2001:db8::1", 2222, "[2001:db8::1]:2222"),
            ("fe80::1%eth0", 22, "fe80::1%eth0"),
        ] {
            keygen.write(
                "known_hosts",
                &format!("{}\n", key.known_hosts_line(address, port).unwrap()),
            );
            let found = keygen.ok(&["-l", "-F", asked, "-f", "known_hosts"], b"");
            assert!(
                found.contains(&key.fingerprint().to_string()),
                "{address} {port}: {found}"
            );
        }
    }
}

#[test]
fn an_address_with_a_meaning_in_known_hosts_is_refused() {
    let key = host_key(&Keygen::new(), &["-t", "ed25519"]);
    let long = "a".repeat(256);
    for address in [
        "", "*", "web?", "a,b", "!web1", "|1|x", "@revoked", "#", "a b", "a\nb", "[a]", "ü", &long,
    ] {
        assert!(key.known_hosts_line(address, 22).is_err(), "{address:?}");
    }
}

#[test]
fn host_keys_are_read_from_every_file_they_stand_in() {
    let keygen = Keygen::new();
    for (name, arguments) in KINDS {
        let key = host_key(&keygen, arguments);
        assert_eq!(key.kind().as_str(), *name);
        let bare = key.openssh_line();
        for line in [
            format!("{bare} root@web1\n"),
            format!("web1 {bare}"),
            format!("[192.0.2.1]:2222,web1 {bare} comment"),
            format!("|1|c2FsdA==|aGFzaA== {bare}"),
            format!("# web1:22 SSH-2.0-OpenSSH_9.2\nweb1 {bare}\n"),
        ] {
            assert_eq!(HostKey::parse_line(&line).unwrap(), key, "{line}");
        }
        assert_eq!(HostKey::from_blob(key.blob()).unwrap(), key);
        for (marker, line) in [
            (
                "@cert-authority",
                format!("@cert-authority *.example.org {bare}"),
            ),
            ("@revoked", format!("@revoked web1 {bare}")),
        ] {
            assert_eq!(
                HostKey::parse_line(&line),
                Err(HostKeyError::Marker(marker.to_owned()))
            );
        }
        let two = format!("web1 {bare}\nweb2 {bare}\n");
        assert_eq!(
            HostKey::parse_line(&two),
            Err(HostKeyError::Key(PublicKeyError::SeveralLines))
        );
    }
    assert!(matches!(
        HostKey::parse_line("web1"),
        Err(HostKeyError::Key(PublicKeyError::UnknownKind(_)))
    ));
    assert!(matches!(
        HostKey::parse_line("web1 ssh-rsa"),
        Err(HostKeyError::Key(_))
    ));
}

#[test]
fn host_keys_of_old_devices_may_be_small_and_none_may_be_in_a_security_key() {
    let keygen = Keygen::new();
    assert_eq!(host_key(&keygen, &["-t", "rsa", "-b", "1024"]).bits(), 1024);
    let sk = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=";
    assert_eq!(
        HostKey::parse_line(sk),
        Err(HostKeyError::NotForHosts(KeyKind::SkEd25519))
    );
}

#[test]
fn a_scan_gives_each_key_once_and_says_what_it_left_out() {
    let keygen = Keygen::new();
    let rsa = host_key(&keygen, &["-t", "rsa", "-b", "2048"]);
    let ed25519 = host_key(&keygen, &["-t", "ed25519"]);
    let output = format!(
        "# 192.0.2.1:22 SSH-2.0-OpenSSH_9.2\x1b]0;gotcha\x07\n192.0.2.1 {}\n192.0.2.1 {}\n\n192.0.2.1 {1}\r\n\
         192.0.2.1 ssh-dss AAAAB3NzaC1kc3M=\n192.0.2.1 ssh-rsa AAAA\x1b[31m\nnonsense\n",
        rsa.openssh_line(),
        ed25519.openssh_line()
    );
    let scan = parse_keyscan(output.as_bytes());
    assert_eq!(scan.keys, [ed25519, rsa]);
    let reasons: Vec<_> = scan
        .skipped
        .iter()
        .map(|skipped| (skipped.kind.as_str(), skipped.reason.clone()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("ssh-dss", HostKeyError::Key(PublicKeyError::Dsa)),
            ("ssh-rsa", HostKeyError::Key(PublicKeyError::Base64)),
            (
                "",
                HostKeyError::Key(PublicKeyError::UnknownKind(String::new()))
            ),
        ]
    );
}

#[test]
fn a_flood_from_a_scanned_machine_is_cut() {
    assert_eq!(parse_keyscan(b""), Default::default());
    let flood = b"x ssh-rsa AAAA\n".repeat(100_000);
    assert_eq!(parse_keyscan(&flood).skipped.len(), 16);
    assert_eq!(parse_keyscan(&vec![b'a'; 1_000_000]).skipped.len(), 1);
    assert_eq!(parse_keyscan(&[0xff; 1000]), Default::default());
}
