//! Packs the text of one frame.
use super::RecordingError;
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, get_error_name};

/// Bytes of the buffer that packed bytes go through.
const OUT: usize = 16 * 1024;

/// Text between two blocks: what a packed frame that is cut loses at most, beside what is behind the cut. Costs 4 % of its size.
const BLOCK: usize = 16 * 1024;

/// How hard a frame is packed.
///
/// Measured on a quarter of an hour of ordinary work (360 kB of text; `tests/examples/bench/rows/recording`), zstd 1.5.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// What people cause in minutes: 16 : 1, 21 ms; at most 2.8 MiB of memory meanwhile.
    Ordinary,
    /// What programs print in seconds: 13 : 1, 2 ms, 1.5 MiB.
    Little,
    /// What comes within a second: quick, 0.2 MiB.
    Least,
}

impl Effort {
    fn parameters(self) -> [CParameter; 6] {
        let (level, window, hash, chain) = match self {
            Self::Ordinary => (16, 20, 16, 17),
            Self::Little => (6, 20, 16, 16),
            Self::Least => (1, 14, 13, 13),
        };
        [
            CParameter::CompressionLevel(level),
            CParameter::WindowLog(window),
            CParameter::HashLog(hash),
            CParameter::ChainLog(chain),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(true),
        ]
    }
}

/// A compressor, for one frame after another.
pub(super) struct Compressor {
    effort: Effort,
    context: CCtx<'static>,
    out: Box<[u8]>,
}

impl Compressor {
    pub(super) fn new(effort: Effort) -> Result<Self, RecordingError> {
        let mut context = CCtx::try_create().ok_or(RecordingError::Compress {
            reason: "no memory for its context",
        })?;
        for parameter in effort.parameters() {
            context.set_parameter(parameter).map_err(error)?;
        }
        Ok(Self {
            effort,
            context,
            out: vec![0; OUT].into_boxed_slice(),
        })
    }

    /// How hard it packs.
    pub(super) fn effort(&self) -> Effort {
        self.effort
    }

    /// Appends to `packed` the frame that holds `text`.
    ///
    /// After an error it must not be used again.
    pub(super) fn pack(&mut self, text: &[u8], packed: &mut Vec<u8>) -> Result<(), RecordingError> {
        // Tables are made no larger than the text asks for.
        self.context
            .set_pledged_src_size(u64::try_from(text.len()).ok())
            .map_err(error)?;
        let mut pieces = text.chunks(BLOCK).peekable();
        while let Some(piece) = pieces.next() {
            let then = match pieces.peek() {
                Some(_) => ZSTD_EndDirective::ZSTD_e_flush,
                None => ZSTD_EndDirective::ZSTD_e_end,
            };
            self.run(piece, then, packed)?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        text: &[u8],
        then: ZSTD_EndDirective,
        packed: &mut Vec<u8>,
    ) -> Result<(), RecordingError> {
        let mut input = InBuffer::around(text);
        loop {
            let mut output = OutBuffer::around(&mut *self.out);
            let left = self
                .context
                .compress_stream2(&mut output, &mut input, then)
                .map_err(error)?;
            let written = output.pos();
            packed.extend_from_slice(self.out.get(..written).unwrap_or_default());
            if left == 0 && input.pos() >= text.len() {
                return Ok(());
            }
        }
    }

    /// Bytes of memory that it takes now.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.context.sizeof() + self.out.len()
    }
}

fn error(code: usize) -> RecordingError {
    RecordingError::Compress {
        reason: get_error_name(code),
    }
}

#[cfg(test)]
mod tests {
    use super::{Compressor, Effort};

    #[test]
    fn it_stays_small() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        for (effort, most) in [
            (Effort::Ordinary, 2800),
            (Effort::Little, 2400),
            (Effort::Least, 256),
        ] {
            let mut compressor = Compressor::new(effort).unwrap();
            let mut packed = Vec::new();
            compressor.pack(&text, &mut packed).unwrap();
            assert_eq!(zstd::decode_all(&packed[..]).unwrap(), text);
            let size = compressor.size();
            assert!(size < most * 1024, "{effort:?}: {size}");
            assert!(size > 50 * 1024, "{size}: is this the compressor's memory?");
        }
    }

    #[test]
    fn a_cut_frame_loses_what_is_behind_the_cut_and_little_more() {
        let mut text = Vec::new();
        for number in 0..40_000_u32 {
            text.extend_from_slice(
                format!("{}\n", number.wrapping_mul(2_654_435_761) % 100_003).as_bytes(),
            );
        }
        let mut packed = Vec::new();
        Compressor::new(Effort::Ordinary)
            .unwrap()
            .pack(&text, &mut packed)
            .unwrap();
        let mut rest = Vec::new();
        let cut = packed.get(..packed.len() / 2).unwrap();
        assert!(zstd::stream::copy_decode(cut, &mut rest).is_err());
        assert!(text.starts_with(&rest));
        assert!(
            rest.len() > text.len() / 3,
            "{} of {}",
            rest.len(),
            text.len()
        );
    }
}
