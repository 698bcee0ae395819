//! The filter and the pace of playing.
mod attacks;
mod harmless;
mod passes;
mod playback;
mod player;

use super::Safe;

fn safe(text: &str) -> String {
    Safe::new().push(text)
}
