use super::{KINDS, Keygen};
use crate::keys::wire::{Reader, Writer};
use crate::keys::{
    KeyKind, LegacyHash, PrivateKey, PrivateKeyError, PublicKey, SignError, SignatureFlags,
    VerifyError,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

/// The bytes under an `ssh-keygen -Y` signature of `message` (`PROTOCOL.sshsig`).
fn sshsig_data(message: &[u8]) -> Vec<u8> {
    let mut data = b"SSHSIG".to_vec();
    data.put_string(b"test");
    data.put_string(b"");
    data.put_string(b"sha512");
    data.put_string(&Sha512::digest(message));
    data
}

/// The file of such a signature.
fn sshsig_file(key: &PublicKey, signature: &[u8]) -> String {
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    blob.put_string(key.blob());
    blob.put_string(b"test");
    blob.put_string(b"");
    blob.put_string(b"sha512");
    blob.put_string(signature);
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        STANDARD.encode(blob)
    )
}

fn armored(bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
}

fn flags_of(key: &PrivateKey) -> Vec<SignatureFlags> {
    match key.public().kind().as_str() {
        "ssh-rsa" => vec![SignatureFlags::RSA_SHA2_256, SignatureFlags::RSA_SHA2_512],
        _ => vec![SignatureFlags::NONE],
    }
}

/// Our signature in the eyes of the real `ssh-keygen`.
fn openssh_believes(keygen: &Keygen, key: &PrivateKey, flags: SignatureFlags) -> bool {
    let signature = (key.sign(&sshsig_data(b"message"), flags, LegacyHash::Refused)).unwrap();
    keygen.write("message.sig", &sshsig_file(key.public(), &signature));
    keygen.write(
        "allowed",
        &format!("dev {}\n", key.public().openssh_line("")),
    );
    let verify = [
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "dev",
        "-n",
        "test",
        "-s",
        "message.sig",
    ];
    assert!(!keygen.run(&verify, b"another message").status.success());
    keygen.run(&verify, b"message").status.success()
}

#[test]
fn what_ssh_keygen_makes_signs_what_ssh_keygen_verifies() {
    let keygen = Keygen::new();
    let large: [(&str, &[&str]); 2] = [
        ("ssh-rsa", &["-t", "rsa", "-b", "3072"]),
        ("ssh-rsa", &["-t", "rsa", "-b", "4096"]),
    ];
    for (name, arguments) in KINDS.iter().chain(&large) {
        let key = PrivateKey::parse(&keygen.make("key", arguments), None).unwrap();
        let public = PublicKey::parse_line(&keygen.read("key.pub")).unwrap();
        assert_eq!(*key.public(), public, "{name}");
        assert_eq!(key.public().comment(), "dev of the bastion");
        for flags in flags_of(&key) {
            assert!(openssh_believes(&keygen, &key, flags), "{name} {flags:?}");
        }
    }
}

/// Every second scalar of P-521 has a leading zero byte, which the file leaves out.
#[test]
fn keys_with_leading_zeros_are_read_and_written() {
    let keygen = Keygen::new();
    for _ in 0..12 {
        let key =
            PrivateKey::parse(&keygen.make("key", &["-t", "ecdsa", "-b", "521"]), None).unwrap();
        assert!(openssh_believes(&keygen, &key, SignatureFlags::NONE));
        keygen.write("ours", key.to_openssh().expose());
        assert_eq!(
            keygen.ok(&["-y", "-f", "ours"], b""),
            keygen.read("key.pub")
        );
    }
}

#[test]
fn what_ssh_keygen_signs_we_verify() {
    let keygen = Keygen::new();
    keygen.write("message", "message");
    for (name, arguments) in KINDS {
        keygen.make("key", arguments);
        let _ = std::fs::remove_file(keygen.path("message.sig"));
        keygen.ok(&["-Y", "sign", "-f", "key", "-n", "test", "message"], b"");
        let armored = keygen.read("message.sig");
        let body: String = armored
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let blob = STANDARD.decode(body).unwrap();
        let mut reader = Reader::new(&blob[10..]);
        let key = PublicKey::from_blob(reader.string().unwrap()).unwrap();
        for _ in 0..3 {
            reader.string().unwrap();
        }
        let signature = reader.string().unwrap();
        let data = sshsig_data(b"message");
        assert_eq!(
            key.verify(&data, signature, LegacyHash::Refused),
            Ok(()),
            "{name}"
        );
        assert_eq!(
            key.verify(&sshsig_data(b"messagf"), signature, LegacyHash::Refused),
            Err(VerifyError::Wrong),
            "{name}"
        );
        let mut changed = signature.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(
            key.verify(&data, &changed, LegacyHash::Refused).is_err(),
            "{name}"
        );
        for end in 0..signature.len() {
            assert!(
                key.verify(&data, &signature[..end], LegacyHash::Refused)
                    .is_err()
            );
        }
        let longer = [signature, b"x"].concat();
        assert!(key.verify(&data, &longer, LegacyHash::Refused).is_err());
    }
}

#[test]
fn ssh_keygen_reads_what_we_write() {
    let keygen = Keygen::new();
    for (name, arguments) in KINDS {
        let key = PrivateKey::parse(&keygen.make("key", arguments), None).unwrap();
        let text = key.to_openssh();
        keygen.write("ours", text.expose());
        assert_eq!(
            keygen.ok(&["-y", "-f", "ours"], b""),
            keygen.read("key.pub"),
            "{name}"
        );
        let again = PrivateKey::parse(text.expose(), None).unwrap();
        assert_eq!(again.to_openssh().expose(), text.expose(), "{name}");
    }
    let made = PrivateKey::generate_ed25519().unwrap();
    keygen.write("ours", made.to_openssh().expose());
    assert_eq!(
        keygen.ok(&["-y", "-f", "ours"], b"").trim_end(),
        made.public().openssh_line("")
    );
    assert!(openssh_believes(&keygen, &made, SignatureFlags::NONE));
    assert_ne!(
        made.public(),
        PrivateKey::generate_ed25519().unwrap().public()
    );
}

#[test]
fn a_passphrase_is_needed_and_must_be_right() {
    let keygen = Keygen::new();
    let ciphers = [
        "aes256-ctr",
        "aes128-cbc",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ];
    for (index, cipher) in ciphers.iter().enumerate() {
        let kind = KINDS[index].1;
        let arguments = [kind, &["-N", "pass wörd", "-Z", cipher, "-a", "2"]].concat();
        let text = keygen.make("key", &arguments);
        assert_eq!(
            PrivateKey::parse(&text, None).unwrap_err(),
            PrivateKeyError::Encrypted,
            "{cipher}"
        );
        for wrong in ["", "pass word", "pass wörd "] {
            let error = PrivateKey::parse(&text, Some(wrong)).unwrap_err();
            assert_eq!(
                error,
                PrivateKeyError::WrongPassphrase,
                "{cipher} {wrong:?}"
            );
        }
        let key = PrivateKey::parse(&text, Some("pass wörd")).unwrap();
        assert_eq!(
            *key.public(),
            PublicKey::parse_line(&keygen.read("key.pub")).unwrap()
        );
    }
    // A passphrase for a key that has none is no mistake.
    let plain = keygen.make("key", &["-t", "ed25519"]);
    assert!(PrivateKey::parse(&plain, Some("needless")).is_ok());
}

#[test]
fn rsa_keys_that_cannot_sign_here_are_refused_with_their_size() {
    let keygen = Keygen::new();
    for bits in ["1024", "2560"] {
        let error =
            PrivateKey::parse(&keygen.make("key", &["-t", "rsa", "-b", bits]), None).unwrap_err();
        assert_eq!(error, PrivateKeyError::RsaSize(bits.parse().unwrap()));
        assert!(
            error.to_string().contains("2048, 3072 or 4096 bits"),
            "{error}"
        );
    }
}

#[test]
fn sha1_and_foreign_flags_are_refused() {
    let keygen = Keygen::new();
    let rsa = PrivateKey::parse(&keygen.make("rsa", &["-t", "rsa", "-b", "2048"]), None).unwrap();
    assert_eq!(
        rsa.sign(b"data", SignatureFlags::NONE, LegacyHash::Refused),
        Err(SignError::Sha1)
    );
    for flags in [1, 6, 8, u32::MAX] {
        let flags = SignatureFlags(flags);
        assert_eq!(
            rsa.sign(b"data", flags, LegacyHash::Accepted),
            Err(SignError::Flags(flags))
        );
    }
    assert_eq!(
        rsa.algorithm(SignatureFlags::RSA_SHA2_512, LegacyHash::Accepted),
        Ok("rsa-sha2-512")
    );
    let ed25519 = PrivateKey::generate_ed25519().unwrap();
    assert_eq!(
        ed25519.algorithm(SignatureFlags::NONE, LegacyHash::Refused),
        Ok("ssh-ed25519")
    );
    let flags = SignatureFlags::RSA_SHA2_512;
    assert_eq!(
        ed25519.sign(b"data", flags, LegacyHash::Refused),
        Err(SignError::Flags(flags))
    );
}

#[test]
fn signatures_with_sha1_are_made_only_where_that_is_asked_for_and_openssl_believes_them() {
    let keygen = Keygen::new();
    for bits in ["2048", "3072"] {
        let text = keygen.make("rsa", &["-t", "rsa", "-b", bits]);
        let rsa = PrivateKey::parse(&text, None).unwrap();
        let sign = |legacy| rsa.sign(b"data", SignatureFlags::NONE, legacy);
        assert_eq!(sign(LegacyHash::Refused), Err(SignError::Sha1));
        let signature = sign(LegacyHash::Accepted).unwrap();
        assert_eq!(
            sign(LegacyHash::Accepted).as_ref(),
            Ok(&signature),
            "what blinds it leaves no trace"
        );
        let mut reader = Reader::new(&signature);
        assert_eq!(reader.string().unwrap(), b"ssh-rsa");
        std::fs::write(keygen.path("signature"), reader.string().unwrap()).unwrap();
        std::fs::write(keygen.path("data"), b"data").unwrap();
        keygen.ok(&["-q", "-p", "-N", "", "-m", "PEM", "-f", "rsa"], b"");
        let verified = std::process::Command::new("openssl")
            .args(["dgst", "-sha1", "-prverify"])
            .arg(keygen.path("rsa"))
            .arg("-signature")
            .args([keygen.path("signature"), keygen.path("data")])
            .output()
            .expect("openssl is needed");
        assert!(verified.status.success(), "{verified:?}");
    }
}

#[test]
fn signatures_with_sha1_are_believed_only_where_that_is_asked_for() {
    let keygen = Keygen::new();
    keygen.make("rsa", &["-t", "rsa", "-b", "2048"]);
    let key = PublicKey::parse_line(&keygen.read("rsa.pub")).unwrap();
    keygen.ok(&["-q", "-p", "-N", "", "-m", "PEM", "-f", "rsa"], b"");
    std::fs::write(keygen.path("data"), b"data").unwrap();
    let output = std::process::Command::new("openssl")
        .args(["dgst", "-sha1", "-sign"])
        .args([keygen.path("rsa"), keygen.path("data")])
        .output()
        .expect("openssl is needed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut signature = Vec::new();
    signature.put_string(b"ssh-rsa");
    signature.put_string(&output.stdout);
    assert_eq!(
        key.verify(b"data", &signature, LegacyHash::Refused),
        Err(VerifyError::Sha1)
    );
    assert_eq!(
        key.verify(b"data", &signature, LegacyHash::Accepted),
        Ok(())
    );
    assert_eq!(
        key.verify(b"datb", &signature, LegacyHash::Accepted),
        Err(VerifyError::Wrong)
    );
}

#[test]
fn other_formats_are_refused_with_the_command_that_converts_them() {
    let keygen = Keygen::new();
    let rsa = keygen.make("rsa", &["-t", "rsa", "-b", "2048", "-m", "PEM"]);
    let ecdsa = keygen.make("ecdsa", &["-t", "ecdsa", "-m", "PEM"]);
    let pkcs8 = keygen.make("pkcs8", &["-t", "ecdsa", "-m", "PKCS8"]);
    let sealed = keygen.make(
        "sealed",
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "secret"],
    );
    for (text, label) in [
        (&rsa, "RSA PRIVATE KEY"),
        (&ecdsa, "EC PRIVATE KEY"),
        (&pkcs8, "PRIVATE KEY"),
        (&sealed, "ENCRYPTED PRIVATE KEY"),
    ] {
        let error = PrivateKey::parse(text, None).unwrap_err();
        assert_eq!(error, PrivateKeyError::Pem(label.to_owned()));
        assert!(error.to_string().contains("`ssh-keygen -p -f FILE`"));
    }
    // What the sentence promises.
    keygen.ok(&["-q", "-p", "-P", "", "-N", "", "-f", "rsa"], b"");
    assert!(PrivateKey::parse(&keygen.read("rsa"), None).is_ok());

    let public = keygen.read("rsa.pub");
    for (text, expected) in [
        ("", PrivateKeyError::Empty),
        (" \n\t", PrivateKeyError::Empty),
        ("hello", PrivateKeyError::NotAKey),
        (public.as_str(), PrivateKeyError::PublicKey),
        (
            "-----BEGIN PUBLIC KEY-----\nMIIB\n",
            PrivateKeyError::PublicKey,
        ),
        (
            "PuTTY-User-Key-File-3: ssh-ed25519\n",
            PrivateKeyError::Putty,
        ),
        (
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
            PrivateKeyError::SshCom,
        ),
        ("SSH PRIVATE KEY FILE FORMAT 1.1\n", PrivateKeyError::Ssh1),
        (&"x".repeat(100_000), PrivateKeyError::TooLong),
    ] {
        assert_eq!(PrivateKey::parse(text, None).unwrap_err(), expected);
    }
}

#[test]
fn windows_line_ends_and_blanks_around_do_not_matter() {
    let keygen = Keygen::new();
    let text = keygen.make("key", &["-t", "ed25519"]);
    assert!(PrivateKey::parse(&format!("\n  {}  \n", text.replace('\n', "\r\n")), None).is_ok());
    assert!(PrivateKey::parse(text.trim_end(), None).is_ok());
}

#[test]
fn damage_is_found() {
    let keygen = Keygen::new();
    let text = keygen.make("key", &["-t", "ed25519"]);
    let two = format!("{text}{text}");
    assert_eq!(
        PrivateKey::parse(&two, None).unwrap_err(),
        PrivateKeyError::SeveralKeys
    );
    let before = format!("my key:\n{text}");
    assert!(matches!(
        PrivateKey::parse(&before, None),
        Err(PrivateKeyError::Damaged(_))
    ));
    for end in 1..text.trim_end().len() {
        assert!(
            PrivateKey::parse(&text[..end], None).is_err(),
            "cut at {end}"
        );
    }
    for (name, arguments) in KINDS {
        let text = keygen.make("key", arguments);
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let bytes = STANDARD.decode(body).unwrap();
        let comment = bytes
            .windows(18)
            .position(|window| window == b"dev of the bastion")
            .unwrap();
        for index in (0..comment - 4).step_by(5) {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert!(
                PrivateKey::parse(&armored(&changed), None).is_err(),
                "{name}, byte {index}"
            );
        }
    }
}

#[test]
fn a_hostile_number_of_rounds_is_not_run() {
    let keygen = Keygen::new();
    let text = keygen.make("key", &["-t", "ed25519", "-N", "secret", "-a", "3"]);
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let mut bytes = STANDARD.decode(body).unwrap();
    // Magic, cipher name, kdf name, then the length of the options, the salt, the rounds.
    let at = bytes
        .windows(6)
        .position(|window| window == b"bcrypt")
        .unwrap()
        + 6
        + 4
        + 4
        + 16;
    assert_eq!(bytes[at..at + 4], [0, 0, 0, 3]);
    bytes[at] = 0x7f;
    assert_eq!(
        PrivateKey::parse(&armored(&bytes), Some("secret")).unwrap_err(),
        PrivateKeyError::Rounds(0x7f00_0003)
    );
}

#[test]
fn security_keys_and_certificates_cannot_be_held() {
    let keygen = Keygen::new();
    let mut public = Vec::new();
    public.put_string(b"sk-ssh-ed25519@openssh.com");
    public.put_string(&[7; 32]);
    public.put_string(b"ssh:");
    let mut handle = b"openssh-key-v1\0".to_vec();
    for field in ["none", "none", ""] {
        handle.put_string(field.as_bytes());
    }
    handle.extend_from_slice(&[0, 0, 0, 1]);
    handle.put_string(&public);
    handle.put_string(&[0; 8]);
    let error = PrivateKey::parse(&armored(&handle), None).unwrap_err();
    assert_eq!(error, PrivateKeyError::SecurityKey(KeyKind::SkEd25519));

    keygen.make("ca", &["-t", "ed25519"]);
    keygen.make("key", &["-t", "ed25519"]);
    keygen.ok(&["-q", "-s", "ca", "-I", "x", "-n", "dev", "key.pub"], b"");
    let certificate = keygen.read("key-cert.pub");
    assert!(
        PublicKey::parse_line(&certificate)
            .unwrap_err()
            .to_string()
            .contains("certificate")
    );
    assert_eq!(
        PrivateKey::parse(&certificate, None).unwrap_err(),
        PrivateKeyError::NotAKey
    );
}

#[test]
fn a_key_never_prints_its_secret() {
    let key = PrivateKey::generate_ed25519().unwrap();
    let text = format!("{key:?} {key:#?} {:?}", key.to_openssh());
    assert_eq!(
        text,
        format!("[secret] of {0:?} [secret] of {0:?} [secret]", key.public())
    );
}
