use super::{Context, MasterKey, MasterKeyError, SecretBytes, SecretError, SecretString};
use nix::sys::stat::Mode;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

const SECRET: &[u8] = b"correct horse battery staple";

fn key() -> MasterKey {
    let folder = tempfile::tempdir().unwrap();
    MasterKey::generate(&folder.path().join("secret.key")).unwrap()
}

fn place() -> Context {
    Context::new("credential", "secret", 7)
}

#[test]
fn what_was_sealed_opens_in_its_own_place_only() {
    let key = key();
    let sealed = key.seal(&place(), SECRET).unwrap();
    assert_eq!(key.open(&place(), &sealed).unwrap().expose(), SECRET);
    for other in [
        Context::new("credential", "secret", 8),
        Context::new("credential", "secret", "07"),
        Context::new("credential", "passphrase", 7),
        Context::new("credentials", "secret", 7),
        Context::new("credential,6:secret", "", 7),
    ] {
        assert_eq!(
            key.open(&other, &sealed).unwrap_err(),
            SecretError::NotAuthentic,
            "{other:?}"
        );
    }
}

#[test]
fn another_key_opens_nothing() {
    let sealed = key().seal(&place(), SECRET).unwrap();
    assert_eq!(
        key().open(&place(), &sealed).unwrap_err(),
        SecretError::NotAuthentic
    );
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let key = key();
    let sealed = key.seal(&place(), SECRET).unwrap();
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[index] ^= 1 << bit;
            assert!(
                key.open(&place(), &changed).is_err(),
                "byte {index}, bit {bit}"
            );
        }
        assert!(
            key.open(&place(), &sealed[..index]).is_err(),
            "cut at {index}"
        );
    }
    assert_eq!(
        key.open(&place(), &[]).unwrap_err(),
        SecretError::Truncated { length: 0 }
    );
    assert_eq!(
        key.open(&place(), &[1; 30]).unwrap_err(),
        SecretError::Truncated { length: 30 }
    );
    assert_eq!(
        key.open(&place(), &[2; 64]).unwrap_err(),
        SecretError::UnknownVersion(2)
    );
    let longer = [sealed.as_slice(), b"x"].concat();
    assert_eq!(
        key.open(&place(), &longer).unwrap_err(),
        SecretError::NotAuthentic
    );
}

#[test]
fn an_empty_secret_and_a_long_one_come_back() {
    let key = key();
    for secret in [&[][..], &[0xab; 100_000]] {
        let sealed = key.seal(&place(), secret).unwrap();
        assert_eq!(sealed.len(), 1 + 24 + secret.len() + 16);
        assert_eq!(key.open(&place(), &sealed).unwrap().expose(), secret);
    }
}

#[test]
fn the_same_secret_never_seals_to_the_same_bytes() {
    let key = key();
    assert_ne!(
        key.seal(&place(), SECRET).unwrap(),
        key.seal(&place(), SECRET).unwrap()
    );
}

/// Computed apart from this program, after the drafts of XChaCha20-Poly1305. Fails when the format changes: sealed values of installed bastions would not open any more.
#[test]
fn a_value_sealed_by_the_first_version_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let bytes: Vec<u8> = (0..32).collect();
    write_key(&path, &bytes, 0o400);
    let sealed = hex(SEALED_BY_VERSION_1);
    let opened = MasterKey::load(&path)
        .unwrap()
        .open(&place(), &sealed)
        .unwrap();
    assert_eq!(opened.expose(), SECRET);
}

const SEALED_BY_VERSION_1: &str = concat!(
    "016465666768696a6b6c6d6e6f707172737475767778797a7b1f1c8bc29a4dfd",
    "a2ef5fef4cc34fdfa82fcf37039d0cb9c4ed2508c2a1ffdfd168513418224657",
    "d36e39ecb0"
);

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn no_formatter_shows_a_secret() {
    let text = SecretString::from("hunter2".to_owned());
    let bytes = SecretBytes::from(b"hunter2".to_vec());
    assert_eq!(
        format!("{text:?} {bytes:?} {:?} {:#?}", key(), key()),
        "[secret] [secret] [secret] [secret]"
    );
    assert_eq!(bytes.into_string().unwrap().expose(), "hunter2");
    assert_eq!(
        SecretBytes::from(vec![0xff]).into_string().unwrap_err(),
        SecretError::NotText
    );
}

fn write_key(path: &Path, bytes: &[u8], mode: u32) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_key_file_is_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let made = MasterKey::generate(&path).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o400, 32));
    let sealed = made.seal(&place(), SECRET).unwrap();
    assert!(matches!(
        MasterKey::generate(&path),
        Err(MasterKeyError::Exists(_))
    ));
    assert_eq!(
        MasterKey::load(&path)
            .unwrap()
            .open(&place(), &sealed)
            .unwrap()
            .expose(),
        SECRET
    );
}

#[test]
fn a_key_file_that_is_not_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let good: Vec<u8> = (0..32).collect();

    assert!(matches!(
        MasterKey::load(&path),
        Err(MasterKeyError::Missing(_))
    ));
    for mode in [0o440, 0o404, 0o420, 0o402, 0o644] {
        write_key(&path, &good, mode);
        assert!(matches!(MasterKey::load(&path), Err(MasterKeyError::Readable(_, m)) if m == mode));
    }
    for length in [0, 31, 33, 64] {
        write_key(&path, &vec![7; length], 0o400);
        assert!(
            matches!(MasterKey::load(&path), Err(MasterKeyError::WrongLength(_))),
            "{length}"
        );
    }
    write_key(&path, &[0; 32], 0o400);
    assert!(matches!(
        MasterKey::load(&path),
        Err(MasterKeyError::Degenerate(_))
    ));

    let link = folder.path().join("link");
    write_key(&path, &good, 0o400);
    symlink(&path, &link).unwrap();
    assert!(matches!(
        MasterKey::load(&link),
        Err(MasterKeyError::NotAFile(_))
    ));
    assert!(matches!(
        MasterKey::load(folder.path()),
        Err(MasterKeyError::NotAFile(_))
    ));
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, Mode::from_bits_truncate(0o400)).unwrap();
    assert!(matches!(
        MasterKey::load(&fifo),
        Err(MasterKeyError::NotAFile(_))
    ));
    assert!(MasterKey::load(&path).is_ok());
}

#[test]
fn a_key_file_of_another_user_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not root: cannot give a file away");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    MasterKey::generate_for(&path, 4242.into(), 4242.into()).unwrap();
    assert!(matches!(
        MasterKey::load(&path),
        Err(MasterKeyError::WrongOwner(_, 4242))
    ));
}

#[test]
fn errors_say_what_to_do() {
    let path = Path::new("/etc/jms/secret.key");
    assert_eq!(
        MasterKeyError::WrongOwner(path.into(), 1000).to_string(),
        "/etc/jms/secret.key belongs to uid 1000: `chown jms: /etc/jms/secret.key`"
    );
    assert!(
        MasterKeyError::Readable(path.into(), 0o644)
            .to_string()
            .contains("`chmod 0400 /etc/jms/secret.key`")
    );
}

#[test]
fn a_fingerprint_names_one_key_and_does_not_hold_it() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] =
        ["one", "other"].map(|name| MasterKey::generate(&folder.path().join(name)).unwrap());
    assert_eq!(one.fingerprint(), one.fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
    assert_eq!(one.fingerprint().len(), 32);
    let bytes = std::fs::read(folder.path().join("one")).unwrap();
    assert!(one.is(&bytes) && !other.is(&bytes) && !one.is(&bytes[1..]));
}
