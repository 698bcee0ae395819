use super::{KINDS, Keygen};
use crate::keys::wire::Writer;
use crate::keys::{Fingerprint, KeyKind, PublicKey, PublicKeyError, is_allowed_kind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
/// What `ssh-keygen -t ed25519-sk` makes.
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=";

#[test]
fn what_ssh_keygen_makes_is_read_as_it_reads_it() {
    let keygen = Keygen::new();
    for (name, arguments) in KINDS {
        keygen.make("key", arguments);
        let line = keygen.read("key.pub");
        let key = PublicKey::parse_line(&line).unwrap();
        assert_eq!(key.kind().as_str(), *name);
        assert_eq!(key.comment(), "dev of the bastion");
        assert_eq!(key.openssh_line(key.comment()), line.trim_end());
        // 256 SHA256:… comment (ED25519)
        let expected = format!(
            "{} {} dev of the bastion ({})\n",
            key.bits(),
            key.fingerprint(),
            key.kind().short()
        );
        assert_eq!(keygen.ok(&["-l", "-f", "key.pub"], b""), expected);
        assert_eq!(PublicKey::from_blob(key.blob()).unwrap(), key);
        assert!(is_allowed_kind(name));
    }
}

#[test]
fn security_keys_are_login_keys() {
    let keygen = Keygen::new();
    keygen.write("sk.pub", SK_ED25519);
    let key = PublicKey::parse_line(SK_ED25519).unwrap();
    assert_eq!(key.kind(), KeyKind::SkEd25519);
    assert!(key.kind().is_security_key());
    assert!(
        keygen
            .ok(&["-l", "-f", "sk.pub"], b"")
            .contains(&key.fingerprint().to_string())
    );

    // The point of a real P-256 key, with the application that a security key adds.
    keygen.make("p256", &["-t", "ecdsa", "-b", "256"]);
    let plain = PublicKey::parse_line(&keygen.read("p256.pub")).unwrap();
    let mut blob = Vec::new();
    blob.put_string(b"sk-ecdsa-sha2-nistp256@openssh.com");
    blob.extend_from_slice(&plain.blob()[4 + 19..]);
    blob.put_string(b"ssh:");
    let line = format!(
        "sk-ecdsa-sha2-nistp256@openssh.com {}",
        STANDARD.encode(&blob)
    );
    let key = PublicKey::parse_line(&line).unwrap();
    assert_eq!((key.kind(), key.bits()), (KeyKind::SkEcdsaP256, 256));
    keygen.write("sk.pub", &line);
    assert!(
        keygen
            .ok(&["-l", "-f", "sk.pub"], b"")
            .contains(&key.fingerprint().to_string())
    );
}

#[test]
fn blanks_comments_and_line_ends_around_a_key_do_not_matter() {
    let plain = PublicKey::parse_line(ED25519).unwrap();
    assert_eq!(plain.comment(), "");
    for text in [
        format!("\n# alice's laptop\r\n\t {ED25519}\t \r\n\n"),
        format!("{ED25519}   alice  at home "),
        ED25519.replacen(' ', "\t ", 1),
    ] {
        assert_eq!(PublicKey::parse_line(&text).unwrap(), plain, "{text:?}");
    }
}

fn refusal(text: &str) -> PublicKeyError {
    PublicKey::parse_line(text).expect_err(text)
}

#[test]
fn options_are_refused_with_the_flag_to_use_instead() {
    for (options, expected) in [
        ("from=\"10.0.0.0/8,*.example.org\"", "--from"),
        ("FROM=\"10.0.0.0/8\",no-pty", "--from"),
        ("expiry-time=\"20270101\"", "--valid-until"),
        ("verify-required", "--verify-required"),
        (
            "no-touch-required,from=\"x\"",
            "a touch is always asked for",
        ),
        ("cert-authority", "not a login key"),
        ("command=\"echo \\\"a b\\\" ssh-rsa\"", "jmsctl grant"),
        ("restrict,pty", "jmsctl grant"),
        ("no-port-forwarding", "jmsctl grant"),
    ] {
        let error = refusal(&format!("{options} {ED25519} alice"));
        assert!(
            matches!(error, PublicKeyError::Options(_)),
            "{options}: {error:?}"
        );
        assert!(error.to_string().contains(expected), "{options}: {error}");
    }
}

#[test]
fn each_mistake_has_its_own_answer() {
    let blob = |text: &str| ED25519.replacen(ED25519.split_once(' ').unwrap().1, text, 1);
    let cases = [
        ("", PublicKeyError::Empty),
        ("  \n# nothing\n", PublicKeyError::Empty),
        (
            &format!("{ED25519}\n{ED25519}\n"),
            PublicKeyError::SeveralLines,
        ),
        (
            &format!("{ED25519} a\u{1b}[31mb"),
            PublicKeyError::ControlCharacter,
        ),
        (
            &format!("\u{feff}{ED25519}"),
            PublicKeyError::ControlCharacter,
        ),
        (
            &format!("{ED25519} {}", "x".repeat(20_000)),
            PublicKeyError::TooLong,
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END",
            PublicKeyError::PrivateKey,
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n",
            PublicKeyError::PrivateKey,
        ),
        (
            "PuTTY-User-Key-File-3: ssh-ed25519\n",
            PublicKeyError::PrivateKey,
        ),
        (
            "---- BEGIN SSH2 PUBLIC KEY ----\nComment: x\n",
            PublicKeyError::Rfc4716,
        ),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n", PublicKeyError::Pem),
        (
            "-----BEGIN CERTIFICATE-----\nMIIB\n",
            PublicKeyError::Certificate,
        ),
        (
            "ssh-ed25519-cert-v01@openssh.com AAAA x",
            PublicKeyError::Certificate,
        ),
        ("ssh-dss AAAAB3NzaC1kc3M= x", PublicKeyError::Dsa),
        (
            "ssh-ed448 AAAA",
            PublicKeyError::UnknownKind("ssh-ed448".to_owned()),
        ),
        ("alice", PublicKeyError::UnknownKind("alice".to_owned())),
        ("ssh-ed25519", PublicKeyError::NoKey(KeyKind::Ed25519)),
        (&blob("AAAA*"), PublicKeyError::Base64),
        (
            &blob("AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt"),
            PublicKeyError::Base64,
        ),
        (
            &blob("AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+"),
            PublicKeyError::Malformed,
        ),
        (&blob("AAAA"), PublicKeyError::Malformed),
        (
            &ED25519.replacen("ssh-ed25519", "ssh-rsa", 1),
            PublicKeyError::KindMismatch {
                line: KeyKind::Rsa,
                key: KeyKind::Ed25519,
            },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected, "{text:?}");
        assert!(expected.to_string().len() > 20);
    }
}

#[test]
fn bytes_after_the_key_are_refused() {
    let mut blob = STANDARD.decode(ED25519.split_once(' ').unwrap().1).unwrap();
    blob.push(0);
    assert_eq!(
        PublicKey::from_blob(&blob).unwrap_err(),
        PublicKeyError::Malformed
    );
}

fn rsa(e: &[u8], n: &[u8]) -> Result<PublicKey, PublicKeyError> {
    let mut blob = Vec::new();
    blob.put_string(b"ssh-rsa");
    blob.put_string(e);
    blob.put_string(n);
    PublicKey::from_blob(&blob)
}

#[test]
fn rsa_keys_have_2048_to_16384_bits_and_one_encoding() {
    let modulus = |bytes: usize| [&[0, 0xc5], vec![0x5b; bytes - 1].as_slice()].concat();
    assert_eq!(rsa(&[1, 0, 1], &modulus(256)).unwrap().bits(), 2048);
    assert_eq!(rsa(&[1, 0, 1], &modulus(2048)).unwrap().bits(), 16384);
    let error = rsa(&[1, 0, 1], &modulus(255)).unwrap_err();
    assert_eq!(
        error,
        PublicKeyError::RsaSize {
            bits: 2040,
            least: 2048,
            most: 16384
        }
    );
    assert!(
        error
            .to_string()
            .contains("at least 2048 bits, this one has 2040")
    );
    let error = rsa(&[1, 0, 1], &modulus(2049)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("at most 16384 bits, this one has 16392")
    );

    let padded = [&[0], modulus(256).as_slice()].concat();
    let even = [&modulus(256)[..256], &[0x5a]].concat();
    let negative = modulus(256)[1..].to_vec();
    for (e, n) in [
        (&[1, 0, 1][..], padded),
        (&[1, 0, 1], even),
        (&[1, 0, 1], negative),
        (&[0, 1, 0, 1], modulus(256)),
        (&[1, 0, 0], modulus(256)),
        (&[1], modulus(256)),
        (&[], modulus(256)),
        (&[3], vec![]),
    ] {
        assert_eq!(rsa(e, &n).unwrap_err(), PublicKeyError::Malformed, "{e:?}");
    }
}

#[test]
fn a_point_beside_the_curve_is_refused() {
    let keygen = Keygen::new();
    for bits in ["256", "384", "521"] {
        keygen.make("key", &["-t", "ecdsa", "-b", bits]);
        let key = PublicKey::parse_line(&keygen.read("key.pub")).unwrap();
        let mut blob = key.blob().to_vec();
        *blob.last_mut().unwrap() ^= 1;
        assert_eq!(
            PublicKey::from_blob(&blob).unwrap_err(),
            PublicKeyError::NotOnCurve,
            "{bits}"
        );
    }
}

#[test]
fn a_comment_cannot_make_a_second_line() {
    let key = PublicKey::parse_line(ED25519).unwrap();
    assert_eq!(
        key.openssh_line("a\nssh-rsa b\r"),
        format!("{ED25519} a ssh-rsa b")
    );
    assert_eq!(key.openssh_line(""), ED25519);
    let tabs = PublicKey::parse_line(&format!("{ED25519}\ta\tb \t")).unwrap();
    assert_eq!(tabs.comment(), "a b");
}

#[test]
fn fingerprints_are_read_back() {
    let print = PublicKey::parse_line(ED25519).unwrap().fingerprint();
    assert_eq!(
        print.to_string(),
        "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ"
    );
    assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
    assert_eq!(Fingerprint::from(*print.as_bytes()), print);
    for text in [
        "",
        "SHA256:",
        "SHA256:UCUi",
        "MD5:00:11",
        &format!("{print}="),
        &format!(" {print}"),
    ] {
        assert_eq!(Fingerprint::parse(text), None, "{text}");
    }
}

#[test]
fn a_key_that_the_snapshot_cannot_hold_is_refused_at_the_door() {
    for (length, fits) in [(4, true), (5000, false)] {
        let mut blob = Vec::new();
        blob.put_string(b"sk-ssh-ed25519@openssh.com");
        blob.put_string(&[7; 32]);
        blob.put_string(&vec![b'x'; length]);
        assert_eq!(snapshot::parse_key_blob(&blob).is_ok(), fits, "{length}");
        assert_eq!(PublicKey::from_blob(&blob).is_ok(), fits, "{length}");
    }
}
