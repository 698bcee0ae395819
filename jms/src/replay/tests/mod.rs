//! The filter and the pace of playing.
mod attacks;
mod harmless;
mod passes;
mod playback;

use super::Safe;

fn safe(text: &str) -> String {
    Safe::new().push(text)
}
