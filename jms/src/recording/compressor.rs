//! The zstd compressor of one frame, kept small.
use super::RecordingError;
use std::ops::ControlFlow;
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, get_error_name};

/// Bytes of the buffer that compressed bytes go through.
const OUT: usize = 16 * 1024;

/// A compressor for one frame after another.
///
/// Every session has one while text waits in an unfinished frame (an idle session has none, see
/// `FrameWriter`), so its size counts. Measured on 3.7 MB of terminal output cut into frames of
/// 256 KiB, zstd 1.5.7: level 3 with its own choices takes 3577 KiB and compresses 4.92 : 1; with
/// a window of 2^15 and tables of 2^13 305 KiB and 4.57; with a window of 2^14 **197 KiB and
/// 4.39**, which is taken; level 1 with a window of 2^15 305 KiB and 4.37. Where frames follow each other at once
/// ([`Effort::Little`]) level 1 with that window takes a tenth less time, a quarter less for what hardly shrinks.
pub(super) struct Compressor {
    context: CCtx<'static>,
    out: Box<[u8]>,
}

/// How hard a frame is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// What a person causes: small files.
    Ordinary,
    /// A flood: quick.
    Little,
}

/// What shall be done with what the compressor holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Keep it.
    Continue,
    /// Close the block: all that was given so far can be decompressed.
    Flush,
    /// Close the frame.
    End,
}

impl Compressor {
    pub(super) fn new(effort: Effort) -> Result<Self, RecordingError> {
        let mut context = CCtx::try_create().ok_or(RecordingError::Compress {
            reason: "no memory for its context",
        })?;
        let parameters = [
            CParameter::CompressionLevel(match effort {
                Effort::Ordinary => 3,
                Effort::Little => 1,
            }),
            CParameter::WindowLog(14),
            CParameter::HashLog(13),
            CParameter::ChainLog(13),
            CParameter::ChecksumFlag(true),
        ];
        for parameter in parameters {
            context.set_parameter(parameter).map_err(error)?;
        }
        Ok(Self {
            context,
            out: vec![0; OUT].into_boxed_slice(),
        })
    }

    /// Compresses `data`, does `then`, and gives `sink` what comes out.
    ///
    /// When `sink` breaks, so does this, and the compressor must not be used again.
    pub(super) fn run<B>(
        &mut self,
        data: &[u8],
        then: Then,
        mut sink: impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, RecordingError> {
        let directive = match then {
            Then::Continue => ZSTD_EndDirective::ZSTD_e_continue,
            Then::Flush => ZSTD_EndDirective::ZSTD_e_flush,
            Then::End => ZSTD_EndDirective::ZSTD_e_end,
        };
        let mut input = InBuffer::around(data);
        loop {
            let mut output = OutBuffer::around(&mut *self.out);
            let left = self
                .context
                .compress_stream2(&mut output, &mut input, directive)
                .map_err(error)?;
            let written = output.pos();
            if let Some(bytes) = self.out.get(..written).filter(|bytes| !bytes.is_empty())
                && let ControlFlow::Break(value) = sink(bytes)
            {
                return Ok(ControlFlow::Break(value));
            }
            let taken = input.pos() >= data.len();
            if taken && (left == 0 || then == Then::Continue) {
                return Ok(ControlFlow::Continue(()));
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
    use super::{Compressor, Effort, Then};
    use std::ops::ControlFlow;

    #[test]
    fn it_stays_small() {
        let text: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
        for effort in [Effort::Ordinary, Effort::Little] {
            let mut compressor = Compressor::new(effort).unwrap();
            for piece in text.chunks(5000) {
                let _ = compressor
                    .run(piece, Then::Flush, |_| ControlFlow::<()>::Continue(()))
                    .unwrap();
            }
            let size = compressor.size();
            assert!(size < 256 * 1024, "{size}");
            assert!(size > 50 * 1024, "{size}: is this the compressor's memory?");
        }
    }
}
