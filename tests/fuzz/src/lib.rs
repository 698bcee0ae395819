//! What the targets share.

/// A file to be read as a snapshot, made from the fuzzer's bytes: either these bytes themselves, or `sample` with some bytes
/// changed. Every second one is sealed, as a forger would, so that the checksums do not end the search at once.
pub fn snapshot_file(data: &[u8], sample: &[u8]) -> Vec<u8> {
    let Some((mode, rest)) = data.split_first() else {
        return Vec::new();
    };
    let mut file = if mode & 1 == 0 {
        rest.to_vec()
    } else {
        sample.to_vec()
    };
    if mode & 1 == 1 {
        for change in rest.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
            file[at] = change[2];
        }
        if mode & 4 == 4 {
            file.truncate(file.len() - usize::from(*mode));
            let length = file.len() as u64;
            file[24..32].copy_from_slice(&length.to_le_bytes());
        }
    }
    if mode & 2 == 2 {
        seal(&mut file);
    }
    file
}

/// Makes both checksums of a snapshot right.
fn seal(file: &mut [u8]) {
    if file.len() < 64 {
        return;
    }
    let sections = u32::from_le_bytes([file[12], file[13], file[14], file[15]]).min(16) as usize;
    let body = (64 + sections * 24).min(file.len());
    let checksum = crc64(file[body..].iter().copied());
    file[32..40].copy_from_slice(&checksum.to_le_bytes());
    let checksum = crc64(file[..56].iter().chain(&file[64..body]).copied());
    file[56..64].copy_from_slice(&checksum.to_le_bytes());
}

/// CRC-64/XZ.
fn crc64(bytes: impl Iterator<Item = u8>) -> u64 {
    !bytes.fold(u64::MAX, |state, byte| {
        (0..8).fold(state ^ u64::from(byte), |state, _| {
            (state >> 1) ^ (0xC96C_5795_D787_0F42 * (state & 1))
        })
    })
}
